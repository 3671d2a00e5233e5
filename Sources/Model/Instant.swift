/// A moment: microseconds since 1970-01-01T00:00:00Z. Log files hold any number at all as a time, so arithmetic
/// saturates instead of trapping.
public struct Instant: Hashable, Comparable, Sendable {
  public var microseconds: Int64

  public init(microseconds: Int64) { self.microseconds = microseconds }

  public init(seconds: Int64) {
    let (value, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000)
    microseconds = overflow ? (seconds < 0 ? .min : .max) : value
  }

  /// Epoch seconds with a fraction; NaN is 1970, what is out of range saturates.
  public init(epoch: Double) {
    let value = (epoch * 1_000_000).rounded()
    microseconds = value.isNaN ? 0 : value >= 9.2e18 ? .max : value <= -9.2e18 ? .min : Int64(value)
  }

  /// Whole seconds since the epoch, rounded down.
  public var seconds: Int64 {
    microseconds / 1_000_000 - (microseconds % 1_000_000 < 0 ? 1 : 0)
  }

  public var epoch: Double { Double(microseconds) / 1_000_000 }

  public static func < (a: Instant, b: Instant) -> Bool { a.microseconds < b.microseconds }

  public func adding(_ span: TimeSpan) -> Instant {
    let (value, overflow) = microseconds.addingReportingOverflow(span.microseconds)
    return Instant(microseconds: overflow ? (span.microseconds < 0 ? .min : .max) : value)
  }

  public func subtracting(_ span: TimeSpan) -> Instant {
    let (value, overflow) = microseconds.subtractingReportingOverflow(span.microseconds)
    return Instant(microseconds: overflow ? (span.microseconds > 0 ? .min : .max) : value)
  }

  /// From `earlier` to this moment; negative when `earlier` is later.
  public func since(_ earlier: Instant) -> TimeSpan {
    let (value, overflow) = microseconds.subtractingReportingOverflow(earlier.microseconds)
    return TimeSpan(microseconds: overflow ? (microseconds < earlier.microseconds ? .min : .max) : value)
  }
}

/// A length of time in microseconds.
public struct TimeSpan: Hashable, Comparable, Sendable {
  public var microseconds: Int64

  public init(microseconds: Int64) { self.microseconds = microseconds }

  public init(seconds: Int64) {
    let (value, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000)
    microseconds = overflow ? (seconds < 0 ? .min : .max) : value
  }

  public static func seconds(_ count: Int64) -> TimeSpan { TimeSpan(seconds: count) }
  public static func minutes(_ count: Int64) -> TimeSpan { TimeSpan(seconds: count * 60) }
  public static func hours(_ count: Int64) -> TimeSpan { TimeSpan(seconds: count * 3600) }
  public static let zero = TimeSpan(microseconds: 0)

  /// Whole seconds, towards zero.
  public var seconds: Int64 { microseconds / 1_000_000 }

  public static func < (a: TimeSpan, b: TimeSpan) -> Bool { a.microseconds < b.microseconds }
}
