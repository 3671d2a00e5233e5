/// A quick sum of a record. It tells which record of a batch was changed; that one was, the chain's SHA-256 tells.
enum RecordSum {
  static func mix(_ value: UInt64) -> UInt64 {
    let product = value.multipliedFullWidth(by: 0x9E37_79B9_7F4A_7C15)
    return product.high ^ product.low
  }

  static func of(_ bytes: borrowing Span<UInt8>) -> UInt32 {
    var sum = UInt64(bytes.count) ^ 0x2545_F491_4F6C_DD1D
    var i = 0
    while i &+ 8 <= bytes.count {
      // Safe: the range was checked.
      sum = mix(sum ^ (unsafe bytes.eight(at: i)))
      i &+= 8
    }
    return UInt32(truncatingIfNeeded: mix(sum ^ bytes.rest(from: i) ^ 0xD6E8_FEB8_6659_FD93))
  }
}

extension [UInt8] {
  mutating func append(sum: UInt32) {
    append(UInt8(truncatingIfNeeded: sum))
    append(UInt8(truncatingIfNeeded: sum >> 8))
    append(UInt8(truncatingIfNeeded: sum >> 16))
    append(UInt8(truncatingIfNeeded: sum >> 24))
  }
}
