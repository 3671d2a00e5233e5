internal import Model
internal import Synchronization
internal import System

/// Looks now and then at what the daemon's parts say of themselves, and keeps the warnings true.
final class HealthMonitor: Sendable {
  typealias Finding = HealthFindings.Finding

  private struct Key: Hashable {
    var code: Warning.Code
    var subject: String
  }

  /// A log that is being rotated is away for a moment.
  private static let patience = TimeSpan.seconds(5)
  /// At the start nothing is rotated yet, and whoever started wants to know.
  private static let settling = TimeSpan.seconds(10)

  private let warnings: ActiveWarnings
  private let started: Instant
  private let look: @Sendable () -> [(code: Warning.Code, found: [Finding])]
  private let firstSeen = Mutex<[Key: Instant]>([:])
  private let isStopping = Monitor(false)
  private let thread = Mutex<ServiceThread?>(nil)

  /// `look` returns the findings of each code; those of codes that it does not name are not touched.
  init(
    _ warnings: ActiveWarnings, started: Instant,
    look: @escaping @Sendable () -> [(code: Warning.Code, found: [Finding])]
  ) {
    self.warnings = warnings
    self.started = started
    self.look = look
  }

  func start() {
    let thread = ServiceThread("bailiff-health") { [self] in
      var isOver = false
      while !isOver {
        let now = SystemClock.now()
        update(at: now)
        let isNew = now.since(started) < Self.settling
        isOver = isStopping.wait(for: isNew ? 1 : 5) { $0 ? true : nil } ?? false
      }
    }
    self.thread.withLock { $0 = thread }
  }

  func stop() {
    isStopping.change { $0 = true }
    thread.withLock { $0.take() }?.join()
  }

  /// Looks now; any thread may ask.
  func update(at now: Instant) {
    for (code, found) in look() { warnings.set(code, to: lasting(code, found, now), at: now) }
  }

  /// Without what may be gone in a moment.
  private func lasting(_ code: Warning.Code, _ found: [Finding], _ now: Instant) -> [Finding] {
    guard code == .jailBlind || code == .sourceFailed else { return found }
    let patience = now.since(started) < Self.settling ? TimeSpan.seconds(1) : Self.patience
    return firstSeen.withLock { seen in
      let keys = Set(found.map { Key(code: code, subject: $0.subject) })
      seen = seen.filter { $0.key.code != code || keys.contains($0.key) }
      return found.filter { finding in
        let first = seen[Key(code: code, subject: finding.subject), default: now]
        seen[Key(code: code, subject: finding.subject)] = first
        return now.since(first) >= patience
      }
    }
  }
}
