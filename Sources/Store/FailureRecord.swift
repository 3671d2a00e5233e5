internal import Model

/// One committed failure, read from the bytes that `FailureEncoder` wrote. Texts are ranges of those bytes.
struct FailureRecord {
  var time: Int64 = 0
  var place: Int64 = 0
  var origin: UInt32 = 0
  var originKey: UInt64 = 0
  var count: UInt32 = 0
  var weight: UInt32 = 0
  /// Nil when the id is a name.
  var address: Address?
  var name = 0..<0
  var user = 0..<0
  var line = 0..<0
  /// Of a row that stands for several lines.
  var last: (time: Int64, place: Int64, line: Range<Int>)?

  /// Reads the record that begins at `offset` and moves `offset` behind it. Nil at the end, and for bytes that are none:
  /// the store's file may have been changed by anybody.
  init?(_ bytes: borrowing Span<UInt8>, at offset: inout Int) {
    var reader = ByteReader(offset: offset)
    guard let time: Int64 = reader.integer(bytes), let place: Int64 = reader.integer(bytes),
      let origin: UInt32 = reader.integer(bytes), let originKey: UInt64 = reader.integer(bytes),
      let count: UInt32 = reader.integer(bytes),
      let weight: UInt32 = reader.integer(bytes), let kind: UInt8 = reader.integer(bytes)
    else { return nil }
    self.time = time
    self.place = place
    self.origin = origin
    self.originKey = originKey
    self.count = count
    self.weight = weight
    switch kind & ~RecordKind.folded {
    case RecordKind.ipv4:
      guard let v4: UInt32 = reader.integer(bytes) else { return nil }
      address = Address(ipv4: v4)
    case RecordKind.ipv6:
      guard let bits: UInt128 = reader.integer(bytes) else { return nil }
      address = Address(bits: bits)
    case RecordKind.name:
      guard let range = reader.text(bytes) else { return nil }
      name = range
    default: return nil
    }
    guard let user = reader.text(bytes), let line = reader.text(bytes) else { return nil }
    self.user = user
    self.line = line
    if kind & RecordKind.folded != 0 {
      guard let time: Int64 = reader.integer(bytes), let place: Int64 = reader.integer(bytes),
        let line = reader.text(bytes)
      else { return nil }
      last = (time, place, line)
    }
    offset = reader.offset
  }
}

/// Reads what `ByteWriter` wrote.
struct ByteReader {
  var offset: Int

  mutating func integer<Value: FixedWidthInteger>(_ bytes: borrowing Span<UInt8>) -> Value? {
    let size = Value.bitWidth / 8
    guard bytes.count - offset >= size else { return nil }
    var value: Value = 0
    for i in 0..<size { value |= Value(truncatingIfNeeded: bytes[offset + i]) << Value(8 * i) }
    offset += size
    return value
  }

  mutating func text(_ bytes: borrowing Span<UInt8>) -> Range<Int>? {
    guard let count: UInt16 = integer(bytes), bytes.count - offset >= Int(count) else { return nil }
    defer { offset += Int(count) }
    return offset..<offset + Int(count)
  }
}
