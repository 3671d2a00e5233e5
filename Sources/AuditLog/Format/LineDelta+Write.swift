internal import Model

extension LineDelta {
  /// Lines are of a kind when a pattern matched them that have as many spaces.
  mutating func encode(
    _ line: borrowing Span<UInt8>, origin: Int, address: Address?, user: borrowing Span<UInt8>,
    into bytes: inout [UInt8]
  ) {
    let (map, spaces) = words.append(line)
    let slot = (origin &* 7 &+ spaces) & (Self.slots - 1)
    let old = last[slot]
    Self.encode(
      line, words.bits.span.extracting(map), slot, against: text.span.extracting(old.text),
      words.bits.span.extracting(old.words), address, user, into: &bytes)
    last[slot] = Line(text: text.count..<text.count + line.count, words: map)
    text.append(line)
  }

  // Static, with all that it needs as parameters: `self` would be retained for each line.
  private static func encode(
    _ line: borrowing Span<UInt8>, _ words: borrowing Span<UInt64>, _ slot: Int, against old: borrowing Span<UInt8>,
    _ oldWords: borrowing Span<UInt64>, _ address: Address?, _ user: borrowing Span<UInt8>,
    into bytes: inout [UInt8]
  ) {
    bytes.append(addingCapacity: line.count + room) { out in
      out.append(UInt8(truncatingIfNeeded: slot))
      out.append(varint: UInt64(line.count))
      let start = out.count
      guard !encode(line, words, against: old, oldWords, address, user, into: &out) else { return }
      out.removeLast(out.count - start)
      append(line, 0, line.count, replacing: 0, after: 0, to: &out)
    }
  }

  /// What a line may need beside its bytes: the numbers before them.
  private static let room = 32

  /// False where that would be longer than the line.
  private static func encode(
    _ line: borrowing Span<UInt8>, _ words: borrowing Span<UInt64>, against old: borrowing Span<UInt8>,
    _ oldWords: borrowing Span<UInt64>, _ address: Address?, _ user: borrowing Span<UInt8>,
    into out: inout OutputSpan<UInt8>
  ) -> Bool {
    let limit = line.count + room / 2
    let address = address.flatMap { $0.isIPv4 ? DottedQuad($0.ipv4) : nil }
    var i = 0
    var j = 0
    while i < line.count {
      let alike = line.alike(from: i, old, from: j)
      i &+= alike
      j &+= alike
      guard i < line.count else {
        out.append(varint: UInt64(alike))
        return true
      }
      // The rest of the word, instead of the rest of the other one.
      var end = line.count
      var oldEnd = j
      if j < old.count {
        end = words.wordEnd(from: i)
        oldEnd = oldWords.wordEnd(from: j)
        // No words but two signs.
        if end == i, oldEnd == j { (end, oldEnd) = (end &+ 1, oldEnd &+ 1) }
      }
      guard out.count &+ end &- i < limit else { return false }
      // The word may have begun among the bytes that are alike.
      let start = words.wordStart(before: i, notBefore: i &- alike)
      if let mark = mark(line, start, end, rest: end &- i, address, user) {
        append(mark, replacing: oldEnd &- j &+ i &- start, after: alike &- (i &- start), to: &out)
      } else {
        append(line, i, end, replacing: oldEnd &- j, after: alike, to: &out)
      }
      i = end
      j = oldEnd
    }
    return true
  }

  // MARK: Marks

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
      if line[start] != UInt8(ascii: "0"), count <= 18, rest > 1, let number = number(line, start, end),
        // Seven bits a byte, against a byte a digit.
        (64 - number.leadingZeroBitCount + 6) / 7 < rest
      {
        return (Mark.number, number)
      }
    }
    if user.count == count, line.alike(from: start, user, from: 0) == count { return (Mark.user, 0) }
    return nil
  }

  /// A word of 1 to 18 digits; nil for another one.
  private static func number(_ line: borrowing Span<UInt8>, _ start: Int, _ end: Int) -> UInt64? {
    if end &- start <= 8, start &+ 8 <= line.count {
      // The last digit into the highest byte; in front of the first one are zeros.
      let others = UInt64(truncatingIfNeeded: 8 &* (8 &- (end &- start)))
      // Safe: there are eight, as checked.
      var digits = unsafe (line.eight(at: start) ^ 0x3030_3030_3030_3030) &<< others
      // Added to one that is no digit, 118 sets the highest bit of its byte or the next one's.
      guard (digits &+ 0x7676_7676_7676_7676 | digits) & 0x8080_8080_8080_8080 == 0 else { return nil }
      digits = (digits &* 10 &+ digits &>> 8) & 0x00FF_00FF_00FF_00FF
      digits = (digits &* 100 &+ digits &>> 16) & 0x0000_FFFF_0000_FFFF
      return (digits &* 10_000 &+ digits &>> 32) & 0xFFFF_FFFF
    }
    var number: UInt64 = 0
    for i in start..<end {
      guard isDigit(line[i]) else { return nil }
      number = number &* 10 &+ UInt64(line[i] &- UInt8(ascii: "0"))
    }
    return number
  }

  /// Is this the record's IPv4 address? `::ffff:192.0.2.7` is the same address in another text.
  private static func isText(_ address: DottedQuad?, _ line: borrowing Span<UInt8>, _ start: Int, _ end: Int) -> Bool {
    guard let address, address.count == end &- start else { return false }
    guard start &+ 16 <= line.count else {
      for i in 0..<address.count where address[i] != line[start &+ i] { return false }
      return true
    }
    // Safe: sixteen bytes follow, as checked.
    let low = unsafe line.eight(at: start) ^ address.low
    let high = unsafe line.eight(at: start &+ 8) ^ address.high
    let isLong = address.count >= 8
    let rest: UInt64 = 1 &<< UInt64(truncatingIfNeeded: 8 &* (address.count & 7)) &- 1
    return low & (isLong ? .max : rest) == 0 && high & (isLong ? rest : 0) == 0
  }

  private static func isDigit(_ byte: UInt8) -> Bool { byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") }

  // MARK: Bytes

  private static func append(
    _ marked: Marked, replacing replaced: Int, after alike: Int, to out: inout OutputSpan<UInt8>
  ) {
    out.append(varint: UInt64(alike))
    out.append(marked.mark << 4 | UInt8(min(replaced, 15)))
    if replaced >= 15 { out.append(varint: UInt64(replaced &- 15)) }
    if marked.mark == Mark.number { out.append(varint: marked.number) }
  }

  private static func append(
    _ line: borrowing Span<UInt8>, _ start: Int, _ end: Int, replacing replaced: Int, after alike: Int,
    to out: inout OutputSpan<UInt8>
  ) {
    let count = end &- start
    out.append(varint: UInt64(alike))
    out.append(UInt8(min(count, most)) << 4 | UInt8(min(replaced, 15)))
    if count >= most { out.append(varint: UInt64(count &- most)) }
    if replaced >= 15 { out.append(varint: UInt64(replaced &- 15)) }
    out.append(line.extracting(start..<end))
  }
}
