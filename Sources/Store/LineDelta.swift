/// A line as what it has that an earlier line had not. Lines of one kind differ in a few words (a process number, a user, an
/// address, a port), so what is hashed, logged and written at a commit is a quarter of the text.
///
/// ```
/// slot 1 · length of the line · (bytes that are alike · nibbles: how many follow, how many of the earlier line they
/// replace; 15 or more: the rest as a number of its own · the bytes that follow)…
/// ```
/// The bytes are covered by the chain's hash and are made again from rows to verify it, so this never changes.
struct LineDelta {
  private static let slots = 64
  /// No line is longer (`TextLimit`); a length that is was not written by us.
  private static let longest = 4096

  /// The lines so far, one behind the other, and which of them is the last of its kind.
  private var text: [UInt8] = []
  private var last = [Range<Int>](repeating: 0..<0, count: slots)

  mutating func removeAll() {
    text.removeAll(keepingCapacity: true)
    for i in 0..<Self.slots { last[i] = 0..<0 }
  }

  subscript(range: Range<Int>) -> ArraySlice<UInt8> { text[range] }
  var bytes: [UInt8] { text }

  /// Lines are of a kind when a pattern matched them that have as many spaces.
  mutating func encode(_ line: borrowing Span<UInt8>, origin: Int, into bytes: inout [UInt8]) {
    let slot = (origin &* 7 &+ Self.spaces(line)) & (Self.slots - 1)
    encode(line, slot: slot, into: &bytes)
    last[slot] = text.count..<text.count + line.count
    text.append(line)
  }

  private func encode(_ line: borrowing Span<UInt8>, slot: Int, into bytes: inout [UInt8]) {
    let old = text.span.extracting(last[slot])
    bytes.append(addingCapacity: line.count + Self.room) { out in
      out.append(UInt8(truncatingIfNeeded: slot))
      out.append(varint: UInt64(line.count))
      let start = out.count
      guard !Self.encode(line, against: old, into: &out) else { return }
      out.removeLast(out.count - start)
      Self.append(line, 0, line.count, replacing: 0, after: 0, to: &out)
    }
  }

  /// The next line, as a range of `bytes`.
  mutating func decode(_ bytes: borrowing Span<UInt8>, at offset: inout Int) -> Range<Int>? {
    var reader = ByteReader(offset: offset)
    guard let slot: UInt8 = reader.integer(bytes), slot < Self.slots, let length = reader.varint(bytes),
      length <= Self.longest
    else { return nil }
    let old = last[Int(slot)]
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
      guard let nibbles: UInt8 = reader.integer(bytes), let count = Self.number(nibbles >> 4, &reader, bytes),
        let replaced = Self.number(nibbles & 15, &reader, bytes), count <= end - at,
        count <= bytes.count - reader.offset, replaced <= old.upperBound - from
      else { return nil }
      for i in 0..<count { text[at + i] = bytes[reader.offset + i] }
      at += count
      reader.offset += count
      from += replaced
    }
    last[Int(slot)] = start..<end
    offset = reader.offset
    return start..<end
  }

  private static func number(_ nibble: UInt8, _ reader: inout ByteReader, _ bytes: borrowing Span<UInt8>) -> Int? {
    guard nibble == 15 else { return Int(nibble) }
    return reader.varint(bytes).flatMap { $0 <= longest ? Int($0) + 15 : nil }
  }

  /// What a line may need beside its bytes: the numbers before them.
  private static let room = 32

  /// False where that would be longer than the line.
  private static func encode(
    _ line: borrowing Span<UInt8>, against old: borrowing Span<UInt8>, into out: inout OutputSpan<UInt8>
  ) -> Bool {
    var i = 0
    var j = 0
    while i < line.count {
      let alike = alike(line, i, old, j)
      i += alike
      j += alike
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
        while end < line.count, isWord(line[end]) { end += 1 }
        while oldEnd < old.count, isWord(old[oldEnd]) { oldEnd += 1 }
        // No words but two signs.
        if end == i, oldEnd == j { (end, oldEnd) = (end + 1, oldEnd + 1) }
      }
      guard out.count + end - i + room / 2 < line.count + room else { return false }
      append(line, i, end, replacing: oldEnd - j, after: alike, to: &out)
      i = end
      j = oldEnd
    }
    return true
  }

  private static func append(
    _ line: borrowing Span<UInt8>, _ start: Int, _ end: Int, replacing replaced: Int, after alike: Int,
    to out: inout OutputSpan<UInt8>
  ) {
    let count = end - start
    out.append(varint: UInt64(alike))
    out.append(UInt8(truncatingIfNeeded: min(count, 15) << 4 | min(replaced, 15)))
    if count >= 15 { out.append(varint: UInt64(count - 15)) }
    if replaced >= 15 { out.append(varint: UInt64(replaced - 15)) }
    out.append(line.extracting(start..<end))
  }

  /// How many bytes from `i` on are those from `j` on.
  private static func alike(_ a: borrowing Span<UInt8>, _ i: Int, _ b: borrowing Span<UInt8>, _ j: Int) -> Int {
    let most = min(a.count - i, b.count - j)
    var n = 0
    while n + 8 <= most {
      // Safe: any bytes are a UInt64, and the range was checked.
      let x = unsafe a.bytes.unsafeLoadUnaligned(fromByteOffset: i + n, as: UInt64.self)
      let y = unsafe b.bytes.unsafeLoadUnaligned(fromByteOffset: j + n, as: UInt64.self)
      if x != y { return n + (x ^ y).littleEndian.trailingZeroBitCount / 8 }
      n += 8
    }
    while n < most, a[i + n] == b[j + n] { n += 1 }
    return n
  }

  /// Eight bytes at a time: of a word without its spaces' bits, a byte is zero where a space was.
  private static func spaces(_ line: borrowing Span<UInt8>) -> Int {
    let low: UInt64 = 0x7F7F_7F7F_7F7F_7F7F
    var count = 0
    var i = 0
    while i &+ 8 <= line.count {
      // Safe: any bytes are a UInt64, and the range was checked.
      let word = unsafe line.bytes.unsafeLoadUnaligned(fromByteOffset: i, as: UInt64.self) ^ 0x2020_2020_2020_2020
      count &+= (~((word & low) &+ low | word | low)).nonzeroBitCount
      i &+= 8
    }
    while i < line.count {
      count &+= line[i] == 0x20 ? 1 : 0
      i &+= 1
    }
    return count
  }

  /// Letters, digits, `.`, `:`, `-` and what is not ASCII.
  private static func isWord(_ byte: UInt8) -> Bool {
    let bits: UInt64 = byte < 64 ? 0x07FF_6000_0000_0000 : byte < 128 ? 0x07FF_FFFE_07FF_FFFE : .max
    return bits >> UInt64(byte & 63) & 1 != 0
  }
}
