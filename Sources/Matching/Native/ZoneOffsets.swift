public import Model
internal import System

/// How far a zone's clocks are ahead of UTC, for stamps that do not say. Asked once per quarter of an hour of log time: the
/// last answer is kept.
public struct ZoneOffsets: Sendable {
  private let zone: TimeZoneRules
  private var quarter = Int.min
  private var offset = 0

  /// This machine's zone, or the one that is named (`Europe/Berlin`); nil when there is none of that name.
  public init?(name: String?) {
    guard let name else {
      zone = .local
      return
    }
    guard let zone = TimeZoneRules(name: name) else { return nil }
    self.zone = zone
  }

  /// This machine's zone.
  public init() { zone = .local }

  /// Seconds east of UTC when the zone's clocks show `time`. In the hour that autumn repeats, the first of the two, unless
  /// the second has just been at `now`; in the one that spring leaves out, as if the clocks had not been changed yet.
  public mutating func seconds(at time: CivilTime, now: Instant? = nil) -> Int {
    let key = CivilTime.days(year: time.year, month: time.month, day: time.day) * 96 + time.hour * 4 + time.minute / 15
    if key == quarter { return offset }
    let shown = time.instant()
    let before = zone.offset(at: shown.subtracting(.hours(24)))
    let candidate = shown.subtracting(.seconds(Int64(before)))
    // Right before a change and in doubt; otherwise what holds at that moment.
    var there = zone.offset(at: candidate)
    if there != before {
      let changed = shown.subtracting(.seconds(Int64(there)))
      if zone.offset(at: changed) != there { there = before }
    }
    // Not kept: it holds for this moment only.
    if let now, let later = repeated(shown, before), shown.subtracting(.seconds(Int64(later))).isJust(before: now) {
      return later
    }
    quarter = key
    offset = there
    return there
  }

  /// What holds when clocks show `shown` for the second time; nil: they do so once.
  private func repeated(_ shown: Instant, _ before: Int) -> Int? {
    let after = zone.offset(at: shown.adding(.hours(24)))
    guard after < before, zone.offset(at: shown.subtracting(.seconds(Int64(before)))) == before,
      zone.offset(at: shown.subtracting(.seconds(Int64(after)))) == after
    else { return nil }
    return after
  }

  /// Seconds east of UTC at a moment.
  public func seconds(at instant: Instant) -> Int {
    zone.offset(at: instant)
  }
}

extension Instant {
  /// No longer ago than a repeated hour can be mistaken, and ahead by no more than clocks differ.
  fileprivate func isJust(before now: Instant) -> Bool {
    self <= now.adding(.minutes(1)) && now.since(self) < .hours(1)
  }
}
