internal import AuditLog
internal import Model
internal import Settings

extension RequestError {
  /// What a handler threw, as the client is told. What nobody foresaw is told without its content.
  init(_ error: any Error) {
    switch error {
    case let error as RequestError: self = error
    case let error as StoreError:
      let isUsage =
        switch error.kind {
        case .usage, .missing, .cannotOpen, .newer: true
        case .corrupt, .full, .io, .busy, .inUse, .other: false
        }
      self.init(isUsage ? .invalid : .failed, error.description)
    // A line each, as `check` has them.
    case let error as SettingsErrors: self.init(.invalid, error.description)
    case let error as SettingsError: self.init(.invalid, error.description)
    default: self.init(.failed, "the daemon could not do it")
    }
  }
}
