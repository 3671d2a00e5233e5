internal import Model

/// A line as what it has that an earlier line had not. Lines of one kind differ in a few words (a process number, a user, an
/// address, a port), so what is hashed, logged and written at a commit is a fifth of the text.
///
/// ```
/// slot 1 · length of the line · (bytes that are alike · nibbles: what follows, how many bytes of the earlier line it
/// replaces; 15 or more: the rest as a number of its own)…
///
/// what follows   0 … 11: as many bytes · 12: a number, and 12 more bytes than it · 13: a number, written in decimal
///                14: the record's user · 15: its IPv4 address
/// ```
/// Format 2 has neither of the last three: there 15 is a number, and 15 more bytes than it. The bytes are covered by the
/// chain's hash and are made again from rows to verify it, so this never changes.
struct LineDelta {
  private static let slots = 64
  /// No line is longer (`TextLimit`); a length that is was not written by us.
  private static let longest = 4096

  private enum Mark {
    static let number: UInt8 = 13
    static let user: UInt8 = 14
    static let address: UInt8 = 15
  }

  private let hasMarks: Bool
  /// The lines so far, one behind the other, and which of them is the last of its kind.
  private var text: [UInt8] = []
  private var last = [Range<Int>](repeating: 0..<0, count: slots)

  init(format: Int64 = ChainLink.format) { hasMarks = format > 2 }

  /// From this many on, a count of bytes needs a number of its own.
  private static func most(_ hasMarks: Bool) -> Int { hasMarks ? 12 : 15 }

  mutating func removeAll() {
    text.removeAll(keepingCapacity: true)
    for i in 0..<Self.slots { last[i] = 0..<0 }
  }

  subscript(range: Range<Int>) -> ArraySlice<UInt8> { text[range] }
  var bytes: [UInt8] { text }

  // MARK: Writing

  /// Lines are of a kind when a pattern matched them that have as many spaces.
  mutating func encode(
    _ line: borrowing Span<UInt8>, origin: Int, address: Address?, user: borrowing Span<UInt8>,
    into bytes: inout [UInt8]
  ) {
    let slot = (origin &* 7 &+ Self.spaces(line)) & (Self.slots - 1)
    Self.encode(line, slot, against: text.span.extracting(last[slot]), hasMarks, address, user, into: &bytes)
    last[slot] = text.count..<text.count + line.count
    text.append(line)
  }

  // Static, with all that it needs as parameters: `self` would be retained for each line.
  private static func encode(
    _ line: borrowing Span<UInt8>, _ slot: Int, against old: borrowing Span<UInt8>, _ hasMarks: Bool,
    _ address: Address?, _ user: borrowing Span<UInt8>, into bytes: inout [UInt8]
  ) {
    bytes.append(addingCapacity: line.count + room) { out in
      out.append(UInt8(truncatingIfNeeded: slot))
      out.append(varint: UInt64(line.count))
      let start = out.count
      guard !encode(line, against: old, hasMarks, address, user, into: &out) else { return }
      out.removeLast(out.count - start)
      append(line, 0, line.count, most(hasMarks), replacing: 0, after: 0, to: &out)
    }
  }

  /// What a line may need beside its bytes: the numbers before them.
  private static let room = 32

  /// False where that would be longer than the line.
  private static func encode(
    _ line: borrowing Span<UInt8>, against old: borrowing Span<UInt8>, _ hasMarks: Bool, _ address: Address?,
    _ user: borrowing Span<UInt8>, into out: inout OutputSpan<UInt8>
  ) -> Bool {
    let limit = line.count + room / 2
    let address = address.flatMap { hasMarks && $0.isIPv4 ? DottedQuad($0.ipv4) : nil }
    var i = 0
    var j = 0
    while i < line.count {
      let alike = alike(line, i, old, j)
      i &+= alike
      j &+= alike
      guard i < line.count else {
        out.append(varint: UInt64(alike))
        return true
      }
      // The rest of the word, instead of the rest of the other one.
      var end = i
      var oldEnd = j
      if j == old.count {
        end = line.count
      } else {
        end = wordEnd(line, from: i)
        oldEnd = wordEnd(old, from: j)
        // No words but two signs.
        if end == i, oldEnd == j { (end, oldEnd) = (end &+ 1, oldEnd &+ 1) }
      }
      guard out.count &+ end &- i < limit else { return false }
      // The word may have begun among the bytes that are alike.
      let start = hasMarks ? wordStart(line, before: i, notBefore: i &- alike) : i
      if hasMarks, let mark = mark(line, start, end, rest: end &- i, address, user) {
        append(mark, replacing: oldEnd &- j &+ i &- start, after: alike &- (i &- start), to: &out)
      } else {
        append(line, i, end, most(hasMarks), replacing: oldEnd &- j, after: alike, to: &out)
      }
      i = end
      j = oldEnd
    }
    return true
  }

  /// A word that needs not be written out; `number` is of use for `Mark.number` alone.
  private typealias Marked = (mark: UInt8, number: UInt64)

  private static func mark(
    _ line: borrowing Span<UInt8>, _ start: Int, _ end: Int, rest: Int, _ address: DottedQuad?,
    _ user: borrowing Span<UInt8>
  ) -> Marked? {
    let count = end &- start
    guard count > 1 else { return nil }
    if isDigit(line[start]) {
      if isText(address, line, start, end) { return (Mark.address, 0) }
      // 18 digits fit any 64 bits.
      if line[start] != UInt8(ascii: "0"), count <= 18, rest > 1 {
        var number: UInt64 = 0
        var i = start
        while i < end, isDigit(line[i]) {
          number = number &* 10 &+ UInt64(line[i] &- UInt8(ascii: "0"))
          i &+= 1
        }
        // Seven bits a byte, against a byte a digit.
        if i == end, (64 - number.leadingZeroBitCount + 6) / 7 < rest { return (Mark.number, number) }
      }
    }
    if user.count == count {
      var i = 0
      while i < count, user[i] == line[start &+ i] { i &+= 1 }
      if i == count { return (Mark.user, 0) }
    }
    return nil
  }

  /// Is this the record's IPv4 address? `::ffff:192.0.2.7` is the same address in another text.
  private static func isText(_ address: DottedQuad?, _ line: borrowing Span<UInt8>, _ start: Int, _ end: Int) -> Bool {
    guard let address, address.count == end &- start else { return false }
    guard start &+ 16 <= line.count else {
      for i in 0..<address.count where address[i] != line[start &+ i] { return false }
      return true
    }
    // Safe: any bytes are a UInt64, and the range was checked.
    let low = unsafe line.bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: start, as: UInt64.self).littleEndian
    let high = unsafe line.bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: start &+ 8, as: UInt64.self).littleEndian
    let isLong = address.count >= 8
    let rest: UInt64 = 1 << UInt64(8 &* (address.count & 7)) &- 1
    return (low ^ address.low) & (isLong ? .max : rest) == 0 && (high ^ address.high) & (isLong ? rest : 0) == 0
  }

  private static func append(
    _ marked: Marked, replacing replaced: Int, after alike: Int, to out: inout OutputSpan<UInt8>
  ) {
    out.append(varint: UInt64(alike))
    out.append(marked.mark << 4 | UInt8(min(replaced, 15)))
    if replaced >= 15 { out.append(varint: UInt64(replaced &- 15)) }
    if marked.mark == Mark.number { out.append(varint: marked.number) }
  }

  private static func append(
    _ line: borrowing Span<UInt8>, _ start: Int, _ end: Int, _ most: Int, replacing replaced: Int, after alike: Int,
    to out: inout OutputSpan<UInt8>
  ) {
    let count = end &- start
    out.append(varint: UInt64(alike))
    out.append(UInt8(min(count, most)) << 4 | UInt8(min(replaced, 15)))
    if count >= most { out.append(varint: UInt64(count &- most)) }
    if replaced >= 15 { out.append(varint: UInt64(replaced &- 15)) }
    out.append(line.extracting(start..<end))
  }

  // MARK: Reading

  /// The next line, as a range of `bytes`.
  mutating func decode(
    _ bytes: borrowing Span<UInt8>, at offset: inout Int, address: Address?, user: borrowing Span<UInt8>
  ) -> Range<Int>? {
    var reader = ByteReader(offset: offset)
    guard let slot: UInt8 = reader.integer(bytes), slot < Self.slots, let length = reader.varint(bytes),
      length <= Self.longest
    else { return nil }
    let old = last[Int(slot)]
    let most = Self.most(hasMarks)
    let start = text.count
    let end = start + Int(length)
    // Room first, then byte by byte: appending a slice of itself would copy all of it.
    text.append(addingCapacity: Int(length)) { out in
      for _ in 0..<Int(length) { out.append(0) }
    }
    var at = start
    var from = old.lowerBound
    while at < end {
      guard let alike = reader.varint(bytes), alike <= UInt64(min(old.upperBound - from, end - at)) else { return nil }
      for i in 0..<Int(alike) { text[at + i] = text[from + i] }
      at += Int(alike)
      from += Int(alike)
      guard at < end else { break }
      guard let nibbles: UInt8 = reader.integer(bytes) else { return nil }
      let code = nibbles >> 4
      var count = Int(code)
      if Int(code) == most {
        guard let more = reader.varint(bytes), more <= Self.longest else { return nil }
        count = most + Int(more)
      }
      var replaced = Int(nibbles & 15)
      if replaced == 15 {
        guard let more = reader.varint(bytes), more <= Self.longest else { return nil }
        replaced = 15 + Int(more)
      }
      guard replaced <= old.upperBound - from else { return nil }
      from += replaced
      if hasMarks, code >= Mark.number {
        guard let next = put(code, &reader, bytes, address, user, at: at, end: end) else { return nil }
        at = next
        continue
      }
      guard count <= end - at, count <= bytes.count - reader.offset else { return nil }
      for i in 0..<count { text[at + i] = bytes[reader.offset + i] }
      at += count
      reader.offset += count
    }
    last[Int(slot)] = start..<end
    offset = reader.offset
    return start..<end
  }

  /// Writes what a mark stands for; gives where it ends.
  private mutating func put(
    _ mark: UInt8, _ reader: inout ByteReader, _ bytes: borrowing Span<UInt8>, _ address: Address?,
    _ user: borrowing Span<UInt8>, at start: Int, end: Int
  ) -> Int? {
    guard mark != Mark.user else {
      guard user.count > 0, user.count <= end - start else { return nil }
      for i in 0..<user.count { text[start + i] = user[i] }
      return start + user.count
    }
    if mark == Mark.number {
      guard let number = reader.varint(bytes) else { return nil }
      var digits = 1
      var rest = number
      while rest >= 10 { (rest, digits) = (rest / 10, digits + 1) }
      guard digits <= end - start else { return nil }
      rest = number
      for i in (0..<digits).reversed() {
        text[start + i] = UInt8(ascii: "0") + UInt8(rest % 10)
        rest /= 10
      }
      return start + digits
    }
    guard let address, address.isIPv4 else { return nil }
    let quad = DottedQuad(address.ipv4)
    guard quad.count <= end - start else { return nil }
    for i in 0..<quad.count { text[start + i] = quad[i] }
    return start + quad.count
  }

  // MARK: Words

  /// How many bytes from `i` on are those from `j` on.
  private static func alike(_ a: borrowing Span<UInt8>, _ i: Int, _ b: borrowing Span<UInt8>, _ j: Int) -> Int {
    let most = min(a.count &- i, b.count &- j)
    var n = 0
    while n &+ 8 <= most {
      // Safe: any bytes are a UInt64, and the range was checked.
      let x = unsafe a.bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: i &+ n, as: UInt64.self)
      let y = unsafe b.bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: j &+ n, as: UInt64.self)
      if x != y { return n &+ (x ^ y).littleEndian.trailingZeroBitCount / 8 }
      n &+= 8
    }
    while n < most, a[i &+ n] == b[j &+ n] { n &+= 1 }
    return n
  }

  /// Eight bytes at a time: of a word without its spaces' bits, a byte is zero where a space was.
  private static func spaces(_ line: borrowing Span<UInt8>) -> Int {
    let low: UInt64 = 0x7F7F_7F7F_7F7F_7F7F
    var count = 0
    var i = 0
    while i &+ 8 <= line.count {
      // A count a byte: of 128 words none overflows.
      var counts: UInt64 = 0
      let end = min(line.count, i &+ 1024)
      while i &+ 8 <= end {
        // Safe: any bytes are a UInt64, and the range was checked.
        let word =
          unsafe line.bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: i, as: UInt64.self) ^ 0x2020_2020_2020_2020
        counts &+= ~((word & low) &+ low | word | low) >> 7
        i &+= 8
      }
      let pairs = (counts & 0x00FF_00FF_00FF_00FF) &+ (counts >> 8 & 0x00FF_00FF_00FF_00FF)
      count &+= Int((pairs &* 0x0001_0001_0001_0001) >> 48)
    }
    while i < line.count {
      count &+= line[i] == 0x20 ? 1 : 0
      i &+= 1
    }
    return count
  }

  /// Where the word ends that goes on at `start`.
  private static func wordEnd(_ line: borrowing Span<UInt8>, from start: Int) -> Int {
    var i = start
    while i &+ 8 <= line.count {
      // Safe: any bytes are a UInt64, and the range was checked.
      let word = unsafe line.bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: i, as: UInt64.self).littleEndian
      let others = ~words(word) & 0x8080_8080_8080_8080
      if others != 0 { return i &+ others.trailingZeroBitCount / 8 }
      i &+= 8
    }
    while i < line.count, isWord(line[i]) { i &+= 1 }
    return i
  }

  /// Where the word begins that goes on at `end`.
  private static func wordStart(_ line: borrowing Span<UInt8>, before end: Int, notBefore first: Int) -> Int {
    var i = end
    while i >= 8, i > first {
      // Safe: any bytes are a UInt64, and the range was checked.
      let word = unsafe line.bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: i &- 8, as: UInt64.self).littleEndian
      let others = ~words(word) & 0x8080_8080_8080_8080
      if others != 0 { return max(i &- others.leadingZeroBitCount / 8, first) }
      i &-= 8
    }
    while i > first, isWord(line[i &- 1]) { i &-= 1 }
    return max(i, first)
  }

  /// Eight bytes at a time: the highest bit of each is set where `isWord` is true.
  static func words(_ bytes: UInt64) -> UInt64 {
    // Added to seven bits, 128 - n sets the eighth where they are n or more.
    func atLeast(_ seven: UInt64, _ n: UInt8) -> UInt64 { seven &+ UInt64(128 - n) &* 0x0101_0101_0101_0101 }
    let seven = bytes & 0x7F7F_7F7F_7F7F_7F7F
    let lower = seven | 0x2020_2020_2020_2020
    let letters = atLeast(lower, UInt8(ascii: "a")) & ~atLeast(lower, UInt8(ascii: "z") + 1)
    let dots = atLeast(seven, UInt8(ascii: "-")) & ~atLeast(seven, UInt8(ascii: ".") + 1)
    let digits = atLeast(seven, UInt8(ascii: "0")) & ~atLeast(seven, UInt8(ascii: ":") + 1)
    return letters | dots | digits | bytes
  }

  private static func isDigit(_ byte: UInt8) -> Bool { byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") }

  /// Letters, digits, `.`, `:`, `-` and what is not ASCII.
  static func isWord(_ byte: UInt8) -> Bool {
    let bits: UInt64 = byte < 64 ? 0x07FF_6000_0000_0000 : byte < 128 ? 0x07FF_FFFE_07FF_FFFE : .max
    return bits >> UInt64(byte & 63) & 1 != 0
  }
}
