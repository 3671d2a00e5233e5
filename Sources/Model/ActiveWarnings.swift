internal import Synchronization

/// The warnings that are true now. Whoever notices something raises it as often as it looks; the moment it was first raised
/// is kept. Any thread may call.
///
/// ```swift
/// warnings.raise(.storeNotWriting, "no space left on device; make room on /var", at: now)
/// warnings.clear(.storeNotWriting)
/// warnings.set(.jailBlind, to: blind.map { ($0.name, $0.reason) }, at: now)   // those that are not named are cleared
/// ```
public final class ActiveWarnings: Sendable {
  /// What became of a warning: said once in the log and in the audit.
  public enum Change: Hashable, Sendable {
    case raised(Warning)
    case cleared(Warning)
  }

  private struct Key: Hashable {
    var code: Warning.Code
    var subject: String
  }

  private let active = Mutex<[Key: Warning]>([:])
  private let onChange: @Sendable (Change, [Warning]) -> Void

  /// `onChange` is called on the raising thread, after the change can be seen, with all that are true then. Another text
  /// alone is no change.
  public init(onChange: @escaping @Sendable (Change, [Warning]) -> Void = { _, _ in }) { self.onChange = onChange }

  public func raise(_ code: Warning.Code, of subject: String = "", _ text: String, at now: Instant) {
    report(active.withLock { Self.raise(code, subject, text, now, in: &$0) })
  }

  public func clear(_ code: Warning.Code, of subject: String = "") {
    report(active.withLock { $0.removeValue(forKey: Key(code: code, subject: subject)).map { .cleared($0) } })
  }

  /// Makes `found` the warnings of this code: others of it are cleared.
  public func set(_ code: Warning.Code, to found: [(subject: String, text: String)], at now: Instant) {
    let changes: [Change] = active.withLock { active in
      let kept = Set(found.map(\.subject))
      let gone = active.keys.filter { $0.code == code && !kept.contains($0.subject) }
      let cleared = gone.compactMap { active.removeValue(forKey: $0) }.sorted { $0.subject < $1.subject }
      return cleared.map { .cleared($0) }
        + found.compactMap { Self.raise(code, $0.subject, $0.text, now, in: &active) }
    }
    for change in changes { report(change) }
  }

  /// In the order of their codes in `Warning.Code`, then of their subjects.
  public var all: [Warning] {
    let order = Warning.Code.allCases
    func place(_ warning: Warning) -> Int { order.firstIndex(of: warning.code) ?? order.count }
    return active.withLock { $0.values.sorted { (place($0), $0.subject) < (place($1), $1.subject) } }
  }

  private static func raise(
    _ code: Warning.Code, _ subject: String, _ text: String, _ now: Instant, in active: inout [Key: Warning]
  ) -> Change? {
    let key = Key(code: code, subject: subject)
    if active[key] != nil {
      active[key]!.text = text
      return nil
    }
    let warning = Warning(code, of: subject, text, since: now)
    active[key] = warning
    return .raised(warning)
  }

  private func report(_ change: Change?) {
    if let change { onChange(change, all) }
  }
}
