public import Model

/// How far a source's stamps are from the time at which its lines come. A line that was just written is about now: stamps
/// that are off by more than a minute are wrong (a container in another zone, a clock that runs wrong), and windows and bans
/// go by the line's arrival. Old lines, read while catching up or in a replay, go by their stamps.
public struct SourceClock: Sendable {
  /// How far ahead (negative: behind) stamps are; nil when they are right, or none was seen.
  public private(set) var offset: TimeSpan?
  /// How many stamps were off since the last one that was right for long, and when the last one came.
  private var wrong = 0
  private var lastWrong = Instant(microseconds: 0)

  /// Lines are written, and stamps are rounded, with some delay.
  public static let tolerance = TimeSpan.minutes(1)
  /// A single stamp may be anybody's text.
  private static let enough = 2
  /// Many machines may write one log, and the clock of one of them be wrong.
  private static let memory = TimeSpan.minutes(10)

  public init() {}

  /// When a live line happened that says `stamp` and came at `now`.
  public mutating func time(_ stamp: Instant, arrived now: Instant) -> Instant {
    let difference = stamp.since(now)
    if abs(difference.microseconds) <= Self.tolerance.microseconds {
      if wrong > 0, now.since(lastWrong) > Self.memory {
        wrong = 0
        offset = nil
      }
      return stamp
    }
    wrong += 1
    lastWrong = now
    if wrong >= Self.enough { offset = difference }
    return now
  }
}
