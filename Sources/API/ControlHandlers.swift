public import Model
public import Reporting

/// What the daemon does for each request: the engine's owner fills these in, the server calls them with who asks.
///
/// A handler throws `RequestError` to say no; anything else it throws reaches the client as "failed" without its content.
/// Handlers may be called at the same time from several tasks.
public struct ControlHandlers: Sendable {
  public var status: @Sendable () async throws -> StatusReply
  public var bans: @Sendable (BansRequest) async throws -> [BanReply]
  public var ban: @Sendable (BanRequest, Operator) async throws -> BannedReply
  public var unban: @Sendable (UnbanRequest, Operator) async throws -> UnbannedReply
  public var unbanAll: @Sendable (UnbanAllRequest, Operator) async throws -> UnbannedReply
  public var confirm: @Sendable (ConfirmRequest, Operator) async throws -> BannedReply
  public var reload: @Sendable (ReloadRequest, Operator) async throws -> ReloadReply
  public var reportFailure: @Sendable (FailureRequest, Operator) async throws -> FailureReply
  /// What somebody did that is no ban, for the audit.
  public var note: @Sendable (_ command: String, Operator) async -> Void
  /// Somebody on TCP was not who he said.
  public var loginFailed: @Sendable (Address) async -> Void
  /// Figures in Prometheus' text format.
  public var metrics: @Sendable () async throws -> String
  public var lists = ListHandlers()
  /// Nil: no reports are kept here.
  public var reports: ReportMaker?

  public init(
    status: @escaping @Sendable () async throws -> StatusReply,
    bans: @escaping @Sendable (BansRequest) async throws -> [BanReply],
    ban: @escaping @Sendable (BanRequest, Operator) async throws -> BannedReply,
    unban: @escaping @Sendable (UnbanRequest, Operator) async throws -> UnbannedReply,
    unbanAll: @escaping @Sendable (UnbanAllRequest, Operator) async throws -> UnbannedReply,
    confirm: @escaping @Sendable (ConfirmRequest, Operator) async throws -> BannedReply,
    reload: @escaping @Sendable (ReloadRequest, Operator) async throws -> ReloadReply,
    reportFailure: @escaping @Sendable (FailureRequest, Operator) async throws -> FailureReply = { request, _ in
      FailureReply(jail: request.jail, id: request.id, banned: false)
    },
    note: @escaping @Sendable (String, Operator) async -> Void = { _, _ in },
    loginFailed: @escaping @Sendable (Address) async -> Void = { _ in },
    metrics: @escaping @Sendable () async throws -> String = { "" }
  ) {
    self.status = status
    self.bans = bans
    self.ban = ban
    self.unban = unban
    self.unbanAll = unbanAll
    self.confirm = confirm
    self.reload = reload
    self.reportFailure = reportFailure
    self.note = note
    self.loginFailed = loginFailed
    self.metrics = metrics
  }
}
