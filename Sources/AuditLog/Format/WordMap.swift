/// Where words are in lines: a bit a byte, each line's first one in the lowest bit of a word of its own, and a word of zeros
/// behind its last. Made once for each line, so that finding where a word ends or begins is a shift and a count.
struct WordMap {
  private(set) var bits: [UInt64] = []

  mutating func removeAll() { bits.removeAll(keepingCapacity: true) }

  /// Adds a line; returns where its bits are and how many spaces it has.
  mutating func append(_ line: borrowing Span<UInt8>) -> (bits: Range<Int>, spaces: Int) {
    let start = bits.count
    var spaces = 0
    bits.append(addingCapacity: line.count / 64 + 2) { out in
      var i = 0
      while i < line.count {
        let found = Self.block(line, i)
        out.append(found.words)
        spaces &+= found.spaces
        i &+= 64
      }
      out.append(0)
    }
    return (start..<bits.count, spaces)
  }

  /// The bits of the 64 bytes from `start` on, or as many as there are, and how many of them are spaces.
  @inline(__always)
  private static func block(_ line: borrowing Span<UInt8>, _ start: Int) -> (words: UInt64, spaces: Int) {
    let end = min(line.count, start &+ 64)
    var words: UInt64 = 0
    // A count a byte: of eight steps none overflows.
    var spaces: UInt64 = 0
    var shift: UInt64 = 0
    var i = start
    while i &+ 8 <= end {
      // Safe: the block ends with the line at most.
      let text = unsafe line.eight(at: i)
      words |= Self.words(text) &<< shift
      spaces &+= Self.spaces(text)
      shift &+= 8
      i &+= 8
    }
    if i < end {
      // Zeros behind the line are neither spaces nor of a word.
      let text = line.rest(from: i)
      words |= Self.words(text) &<< shift
      spaces &+= Self.spaces(text)
    }
    return (words, Int(truncatingIfNeeded: (spaces &* 0x0101_0101_0101_0101) &>> 56))
  }

  /// A one in each byte that is a space: without a space's bits it is zero.
  @inline(__always)
  private static func spaces(_ text: UInt64) -> UInt64 {
    let low: UInt64 = 0x7F7F_7F7F_7F7F_7F7F
    let others = text ^ 0x2020_2020_2020_2020
    return ~((others & low) &+ low | others | low) &>> 7
  }

  /// A bit for each of eight bytes, the first one's the lowest: is it of a word? Letters, digits, `.`, `:`, `-` and what is
  /// not ASCII are.
  @inline(__always)
  static func words(_ text: UInt64) -> UInt64 {
    // Added to seven bits, 128 - n sets the eighth where they are n or more.
    func atLeast(_ seven: UInt64, _ n: UInt8) -> UInt64 { seven &+ UInt64(128 - n) &* 0x0101_0101_0101_0101 }
    let seven = text & 0x7F7F_7F7F_7F7F_7F7F
    let lower = seven | 0x2020_2020_2020_2020
    let letters = atLeast(lower, UInt8(ascii: "a")) & ~atLeast(lower, UInt8(ascii: "z") + 1)
    let dots = atLeast(seven, UInt8(ascii: "-")) & ~atLeast(seven, UInt8(ascii: ".") + 1)
    let digits = atLeast(seven, UInt8(ascii: "0")) & ~atLeast(seven, UInt8(ascii: ":") + 1)
    let highest = (letters | dots | digits | text) &>> 7 & 0x0101_0101_0101_0101
    // Byte k's bit is moved to bit 56 + k; no other sum of two distances falls among these.
    return (highest &* 0x0102_0408_1020_4080) &>> 56
  }
}

extension Span<UInt64> {
  /// Where the word ends that goes on at `start`, which is of the line; the line's end at most.
  @inline(__always)
  func wordEnd(from start: Int) -> Int {
    var at = start &>> 6
    let others = ~self[at] &>> UInt64(truncatingIfNeeded: start & 63)
    if others != 0 { return start &+ others.trailingZeroBitCount }
    // The zeros behind the line end the search.
    repeat { at &+= 1 } while ~self[at] == 0
    return at &<< 6 &+ (~self[at]).trailingZeroBitCount
  }

  /// Where the word begins that goes on at `end`, `first` at least.
  @inline(__always)
  func wordStart(before end: Int, notBefore first: Int) -> Int {
    guard end > first else { return end }
    var at = (end &- 1) &>> 6
    var others = ~self[at] &<< UInt64(truncatingIfNeeded: 63 &- (end &- 1) & 63)
    if others != 0 { return Swift.max(end &- others.leadingZeroBitCount, first) }
    while at &<< 6 > first {
      at &-= 1
      others = ~self[at]
      if others != 0 { return Swift.max((at &+ 1) &<< 6 &- others.leadingZeroBitCount, first) }
    }
    return first
  }
}
