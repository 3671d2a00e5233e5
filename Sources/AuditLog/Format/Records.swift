internal import Model

/// How a failure begins in a batch's `heads`: what its id is, and what follows.
enum RecordFlags {
  static let name: UInt8 = 0
  static let ipv4: UInt8 = 1
  static let ipv6: UInt8 = 2
  static let identity: UInt8 = 3
  static let user: UInt8 = 0x04
  /// A count or a weight other than one.
  static let count: UInt8 = 0x08
  static let weight: UInt8 = 0x10
  /// The record represents several lines and has the last of them, too.
  static let folded: UInt8 = 0x20
  static let rule: UInt8 = 0x40
}

/// A failure's numbers; its texts are beside it.
struct RecordHead {
  var time: Int64
  var place: Int64
  var origin: OriginReference
  var count: UInt32
  var weight: UInt32
  /// Nil when the id is a name.
  var address: Address?
  /// Of a row that represents several lines.
  var last: (time: Int64, place: Int64)?
}

/// Limits on attackers' text. What is cut ends in `[…]`.
enum TextLimit {
  static let line = 2048
  static let user = 256
  static let name = 1024
  static let rule = 64
}

/// A growing run of bytes with the few ways of writing that decisions, events and origins need.
struct ByteWriter {
  var bytes: [UInt8] = []

  mutating func integer(_ value: some FixedWidthInteger) {
    unsafe withUnsafeBytes(of: value.littleEndian) { raw in
      // Safe: the buffer is the integer's own bytes, used only inside the closure.
      unsafe bytes.append(contentsOf: raw)
    }
  }

  mutating func text(_ value: String) {
    integer(UInt32(truncatingIfNeeded: value.utf8.count))
    bytes.append(contentsOf: value.utf8)
  }

  mutating func optional(_ value: (some FixedWidthInteger)?) {
    guard let value else {
      bytes.append(0)
      return
    }
    bytes.append(1)
    integer(value)
  }
}

extension [UInt8] {
  mutating func append(_ text: borrowing Span<UInt8>) {
    // Safe: the pointer is used only inside the call; appending through it is one memcpy.
    unsafe text.withUnsafeBufferPointer { unsafe append(contentsOf: $0) }
  }
}

extension OutputSpan<UInt8> {
  /// Seven bits a byte, the lowest first; all but the last have the eighth set.
  @inline(__always)
  mutating func append(varint value: UInt64) {
    if value < 0x80 { return append(UInt8(truncatingIfNeeded: value)) }
    var rest = value
    while rest >= 0x80 {
      append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    append(UInt8(truncatingIfNeeded: rest))
  }

  /// The longest varint of 64 bits.
  static var longestVarint: Int { 10 }

  /// Small numbers of either sign are short.
  mutating func append(signed value: Int64) {
    append(varint: UInt64(bitPattern: value << 1 ^ value >> 63))
  }

  mutating func append(bigEndian value: UInt64, bytes: Int) {
    var shift = UInt64(8 &* bytes)
    while shift > 0 {
      shift &-= 8
      append(UInt8(truncatingIfNeeded: value >> shift))
    }
  }

  /// Short texts: a loop is quicker than a call.
  mutating func append(_ text: borrowing Span<UInt8>) {
    for i in 0..<text.count { append(text[i]) }
  }

  mutating func append(counted text: borrowing Span<UInt8>) {
    append(varint: UInt64(text.count))
    append(text)
  }
}

/// Reads what was written; nil where the bytes end or are none of ours, since anybody may have changed the file.
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

  mutating func varint(_ bytes: borrowing Span<UInt8>) -> UInt64? {
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while offset < bytes.count, shift < 64 {
      let byte = bytes[offset]
      offset += 1
      value |= UInt64(byte & 0x7F) << shift
      if byte < 0x80 { return value }
      shift += 7
    }
    return nil
  }

  mutating func signed(_ bytes: borrowing Span<UInt8>) -> Int64? {
    varint(bytes).map { Int64(bitPattern: $0 >> 1) ^ -Int64(bitPattern: $0 & 1) }
  }

  /// A text behind its length.
  mutating func counted(_ bytes: borrowing Span<UInt8>) -> Range<Int>? {
    guard let count = varint(bytes).flatMap({ Int(exactly: $0) }), bytes.count - offset >= count else { return nil }
    defer { offset += count }
    return offset..<offset + count
  }
}
