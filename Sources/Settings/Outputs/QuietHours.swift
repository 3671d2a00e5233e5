public import Model
public import System

/// Hours of the day, by this machine's clock, in which an output holds its messages back: `{from: 22:00, to: 07:00}`.
public struct QuietHours: Sendable, Equatable {
  /// Minutes since midnight. `from` after `to` spans midnight.
  public var from: Int
  public var to: Int
  /// What is at least as grave is told at once all the same; nil: nothing is.
  public var except: OutputSettings.Severity?

  public init(from: Int, to: Int, except: OutputSettings.Severity? = nil) {
    self.from = from
    self.to = to
    self.except = except
  }

  /// How long it still is quiet; nil: it is not.
  public func left(at now: Instant, in zone: TimeZoneRules = .local) -> TimeSpan? {
    let local = CivilTime(now, offset: zone.offset(at: now))
    let minute = local.hour * 60 + local.minute
    let isQuiet = from <= to ? minute >= from && minute < to : minute >= from || minute < to
    guard isQuiet else { return nil }
    let minutes = (to - minute + 1440) % 1440
    return .seconds(Int64(minutes * 60 - local.second))
  }
}
