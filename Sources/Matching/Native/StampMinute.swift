package import Model

/// The minute that a syslog stamp named last. Lines are in the order of their times, so most stamps differ from the one
/// before in their seconds only, and need no calendar.
package struct StampMinute: Sendable {
  /// `Nov 21 05:24:` as two words that overlap.
  private var text: (UInt64, UInt64) = (0, 0)
  private var start = Instant(microseconds: 0)
  /// When it was read: the year follows from that. Nil: there is none yet.
  private var now: Instant?

  private static let length = 13

  package init() {}

  /// What the stamp at `at` says, if it is of the same minute and nothing follows its seconds.
  package func time(_ line: borrowing Span<UInt8>, at: Int, now: Instant) -> Instant? {
    guard self.now == now, at + Self.length + 2 <= line.count, Self.words(line, at) == text else { return nil }
    let seconds = at + Self.length
    let (tens, ones) = (line[seconds] &- UInt8(ascii: "0"), line[seconds + 1] &- UInt8(ascii: "0"))
    guard tens < 6, ones < 10 else { return nil }
    if seconds + 2 < line.count, line[seconds + 2] == UInt8(ascii: ".") || line[seconds + 2] == UInt8(ascii: ",") {
      return nil
    }
    return start.adding(.seconds(Int64(tens) * 10 + Int64(ones)))
  }

  /// Keeps the minute of a stamp of 15 bytes, unless another second of it might be of another year: what lies more than a
  /// day ahead is of the last one.
  package mutating func keep(_ line: borrowing Span<UInt8>, at: Int, second: Int, time: Instant, now: Instant) {
    let start = time.subtracting(.seconds(Int64(second)))
    guard second < 60, at + Self.length <= line.count, start.adding(.minutes(1)) <= now.adding(.hours(24)),
      start >= now.subtracting(.hours(360 * 24))
    else { return }
    text = Self.words(line, at)
    self.start = start
    self.now = now
  }

  private static func words(_ line: borrowing Span<UInt8>, _ at: Int) -> (UInt64, UInt64) {
    // Safe: any bytes are a UInt64, and the caller has checked that the line has as many.
    unsafe (
      line.bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: at, as: UInt64.self),
      line.bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: at + 5, as: UInt64.self)
    )
  }
}
