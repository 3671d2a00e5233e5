public import Model

/// What one pattern found in one line. One object is lent again and again: take what you keep.
public final class Match {
  /// The filter's place in its `FilterSet`.
  public internal(set) var filter = 0
  /// The pattern's place in its filter.
  public internal(set) var pattern = 0
  /// Zero when the id is a name.
  public internal(set) var address = Address(bits: 0)
  public internal(set) var time = Instant(microseconds: 0)
  /// Did the line say its time? If not, `time` is when it was read.
  public internal(set) var isDated = false
  public internal(set) var count = 1
  public internal(set) var weight = 1
  /// The host as it stands in the line.
  public internal(set) var host: [UInt8] = []
  public internal(set) var user: [UInt8] = []
  /// The id when it is no address; else empty.
  public internal(set) var name: [UInt8] = []
  /// Every named group that took part, in order; kept only when the set was made to.
  public internal(set) var captures: [Capture] = []

  public struct Capture: Sendable {
    public var name: String
    public var value: [UInt8]
  }

  func reset() {
    count = 1
    weight = 1
    host.removeAll(keepingCapacity: true)
    user.removeAll(keepingCapacity: true)
    name.removeAll(keepingCapacity: true)
    captures.removeAll(keepingCapacity: true)
  }
}

extension Array where Element == UInt8 {
  /// Appends a part of a span as one copy.
  mutating func append(_ span: borrowing Span<UInt8>, _ range: Range<Int>) {
    // Safe: the pointer is used inside the call only, and `extracting` has checked the range.
    unsafe span.extracting(range).withUnsafeBufferPointer { unsafe append(contentsOf: $0) }
  }
}
