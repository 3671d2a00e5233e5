internal import Model

/// Limits on attackers' text. What is cut ends in `[…]`.
enum TextLimit {
  static let line = 2048
  static let user = 256
  static let name = 1024
  static let rule = 64
}

/// A growing run of bytes with the few ways of writing that decisions, events and templates need.
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

  mutating func bytes(_ value: [UInt8]) {
    integer(UInt32(truncatingIfNeeded: value.count))
    bytes.append(contentsOf: value)
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
  init(copying text: borrowing Span<UInt8>) {
    // Safe: the pointer is used only inside the call.
    self = unsafe text.withUnsafeBufferPointer { unsafe Array($0) }
  }

  mutating func append(_ text: borrowing Span<UInt8>) {
    // Safe: the pointer is used only inside the call; appending through it is one memcpy.
    unsafe text.withUnsafeBufferPointer { unsafe append(contentsOf: $0) }
  }

  /// Seven bits a byte, the lowest first; all but the last have the eighth set.
  mutating func append(varint value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    append(UInt8(truncatingIfNeeded: rest))
  }
}

extension OutputSpan<UInt8> {
  /// Short texts: a loop is quicker than a call.
  mutating func append(_ text: borrowing Span<UInt8>) {
    for i in 0..<text.count { append(text[i]) }
  }

  mutating func append(decimal value: Int64) {
    var rest = value.magnitude
    if value < 0 { append(UInt8(ascii: "-")) }
    guard rest >= 10 else { return append(UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: rest)) }
    // The digits that are left, the highest one first, in the lowest byte.
    var low: UInt64 = 0
    var high: UInt64 = 0
    var digits = 0
    while rest > 0 {
      let quotient = rest / 10
      high = high &<< 8 | low &>> 56
      low = low &<< 8 | UInt64(UInt8(ascii: "0")) &+ (rest &- quotient &* 10)
      rest = quotient
      digits &+= 1
    }
    // 19 digits at most: three of them are pushed out of two words.
    if digits > 16 { return appendLong(value.magnitude) }
    for _ in 0..<digits {
      append(UInt8(truncatingIfNeeded: low))
      low = low &>> 8 | high &<< 56
      high &>>= 8
    }
  }

  private mutating func appendLong(_ value: UInt64) {
    for byte in String(value).utf8 { append(byte) }
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

  /// A text behind its length.
  mutating func counted(_ bytes: borrowing Span<UInt8>) -> Range<Int>? {
    guard let count = varint(bytes).flatMap({ Int(exactly: $0) }), bytes.count - offset >= count else { return nil }
    defer { offset += count }
    return offset..<offset + count
  }
}
