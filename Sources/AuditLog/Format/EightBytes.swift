// Bytes eight at a time, for what is done for each line that is recorded.

extension Span<UInt8> {
  /// Eight bytes as a number, the first one the lowest. Unsafe: there must be so many; to check it again here would be a
  /// quarter of what the callers take.
  @unsafe @inline(__always)
  func eight(at offset: Int) -> UInt64 {
    assert(offset >= 0 && offset &+ 8 <= count)
    return unsafe bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt64.self).littleEndian
  }

  /// The last bytes, fewer than eight, from `start` on: the first one the lowest, zeros behind the last.
  @inline(__always)
  func rest(from start: Int) -> UInt64 {
    if count >= 8, start < count {
      // Safe: these are the last eight.
      return unsafe eight(at: count &- 8) &>> UInt64(truncatingIfNeeded: 8 &* (8 &- (count &- start)))
    }
    var text: UInt64 = 0
    for k in start..<count { text |= UInt64(self[k]) &<< UInt64(truncatingIfNeeded: 8 &* (k &- start)) }
    return text
  }

  /// How many bytes from `i` on are those of `other` from `j` on.
  @inline(__always)
  func alike(from i: Int, _ other: borrowing Span<UInt8>, from j: Int) -> Int {
    let most = Swift.min(count &- i, other.count &- j)
    var n = 0
    while n &+ 8 <= most {
      // Safe: `most` bytes follow in both.
      let difference = unsafe eight(at: i &+ n) ^ other.eight(at: j &+ n)
      if difference != 0 { return n &+ difference.trailingZeroBitCount &>> 3 }
      n &+= 8
    }
    guard n < most else { return n }
    if most >= 8 {
      // Once more up to the end: of what was compared already nothing differs.
      // Safe: as above.
      let difference = unsafe eight(at: i &+ most &- 8) ^ other.eight(at: j &+ most &- 8)
      return most &- 8 &+ difference.trailingZeroBitCount &>> 3
    }
    while n < most, self[i &+ n] == other[j &+ n] { n &+= 1 }
    return n
  }
}
