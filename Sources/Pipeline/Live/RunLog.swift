internal import AuditLog
internal import Glibc
internal import Model
internal import System

/// What the daemon says while it runs: a line an event on standard error, which systemd carries into the journal.
public struct RunLog: Sendable {
  /// journald reads a line's level from `<N>` before it (sd-daemon(3)); on a terminal that would only disturb.
  private let hasLevels: Bool
  let isQuiet: Bool

  public init(isQuiet: Bool = false) {
    // Safe: isatty(3) looks at the descriptor only, getenv(3) at a literal.
    hasLevels = unsafe isatty(STDERR_FILENO) == 0 && getenv("JOURNAL_STREAM") != nil
    self.isQuiet = isQuiet
  }

  public func error(_ text: String) { write(3, text) }
  public func warning(_ text: String) { write(4, text) }
  public func notice(_ text: String) { if !isQuiet { write(5, text) } }

  /// Prints bans as they are stored.
  var consumer: DecisionConsumer {
    DecisionConsumer(name: "log", kinds: [.ban, .unban], isStored: false) { rows in
      let now = SystemClock.now()
      for row in rows where row.cause != "expired" && row.cause != "reconciled" {
        decision(row.action, row.jail, row.id, count: row.count, until: row.until, now: now)
      }
      return .done
    }
  }

  /// A decision that holds though it could not be stored yet.
  func unstored(_ made: Decision, now: Instant) {
    let id = made.identity.description
    decision(made.action.rawValue, made.jail, id, count: made.count, until: made.until, now: now, isStored: false)
  }

  private func decision(
    _ action: String, _ jail: String, _ id: String, count: Int, until: Instant?, now: Instant, isStored: Bool = true
  ) {
    let isOver = until.map { $0 <= now } ?? false
    let end =
      (until.map { "until \(Self.local($0))" } ?? "for ever") + (isOver ? ", which is over: recorded only" : "")
    let what =
      switch action {
      case "ban": "ban \(id) (\(count) failures) \(end)"
      case "extend": "extend \(id) \(end)"
      default: "\(action) \(id)"
      }
    notice("[\(jail)] \(what)\(isStored ? "" : "; not stored yet")")
  }

  static func local(_ instant: Instant) -> String {
    instant.rfc3339(offset: TimeZoneRules.local.offset(at: instant))
  }

  private func write(_ level: Int, _ text: String) {
    // Ids and messages may hold what an attacker wrote: nothing that a terminal would obey goes out.
    let line = Array(((hasLevels ? "<\(level)>" : "bailiff: ") + printable(text) + "\n").utf8)
    // Safe: write(2) reads the array during the call. Standard error that is gone must not end the daemon.
    _ = unsafe line.withUnsafeBytes { unsafe Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
  }
}
