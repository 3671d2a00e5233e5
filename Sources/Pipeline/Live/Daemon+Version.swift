internal import AuditLog
internal import Settings
internal import System

extension Daemon {
  /// Writes down in the audit when another version of the program has run here before. The state's file `version` remembers
  /// which; call it after `start`.
  public func note(version: String) {
    let path = settings.state + "/version"
    let before = SmallFile.text(path)?.split(whereSeparator: \.isNewline).first.map { String($0) }
    guard before != version else { return }
    if let before {
      writer.event(.updated, subject: version, detail: "was \(printable(before))")
      log.notice("version \(version), which was \(printable(before))")
    }
    do throws(SystemError) { try SmallFile.replace(path, with: Array("\(version)\n".utf8), mode: 0o600) } catch {
      log.error("\(error)")
    }
  }
}
