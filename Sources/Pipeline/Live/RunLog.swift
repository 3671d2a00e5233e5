internal import Foundation
internal import Model

/// What the daemon says while it runs: a line an event on standard error, which systemd carries into the journal.
public struct RunLog: Sendable {
  /// journald reads a line's level from `<N>` before it (sd-daemon(3)); on a terminal that would only disturb.
  private let hasLevels: Bool
  private let isQuiet: Bool

  public init(isQuiet: Bool = false) {
    // Safe: isatty(3) looks at the descriptor only.
    hasLevels = isatty(STDERR_FILENO) == 0 && ProcessInfo.processInfo.environment["JOURNAL_STREAM"] != nil
    self.isQuiet = isQuiet
  }

  public func error(_ text: String) { write(3, text) }
  public func warning(_ text: String) { write(4, text) }
  public func notice(_ text: String) { if !isQuiet { write(5, text) } }

  func decision(_ decision: Decision, now: Instant) {
    guard !isQuiet else { return }
    let isOver = decision.until.map { $0 <= now } ?? false
    let end =
      (decision.until.map { "until \(Self.local($0))" } ?? "for ever")
      + (isOver ? ", which is over: recorded only" : "")
    switch decision.action {
    case .ban: notice("[\(decision.jail)] ban \(decision.identity) (\(decision.count) failures) \(end)")
    case .extend: notice("[\(decision.jail)] extend \(decision.identity) \(end)")
    case .unban: notice("[\(decision.jail)] unban \(decision.identity)")
    }
  }

  static func local(_ instant: Instant) -> String {
    instant.rfc3339(offset: TimeZone.current.secondsFromGMT(for: Date(timeIntervalSince1970: instant.epoch)))
  }

  private func write(_ level: Int, _ text: String) {
    // Ids and messages may hold what an attacker wrote: nothing that a terminal would obey goes out.
    var safe = ""
    for scalar in text.unicodeScalars {
      if scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value) {
        safe += "\\x" + String(scalar.value, radix: 16)
      } else {
        safe.unicodeScalars.append(scalar)
      }
    }
    let line = (hasLevels ? "<\(level)>" : "bailiff: ") + safe + "\n"
    FileHandle.standardError.write(Data(line.utf8))
  }
}
