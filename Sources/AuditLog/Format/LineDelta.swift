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
/// The bytes are covered by the
/// chain's hash and are made again from rows to verify it, so this never changes.
struct LineDelta {
  static let slots = 64
  /// No line is longer (`TextLimit`); a length that is was not written by us.
  private static let longest = 4096

  enum Mark {
    static let number: UInt8 = 13
    static let user: UInt8 = 14
    static let address: UInt8 = 15
  }

  /// The lines so far, one behind the other, and which of them is the last of its kind.
  var text: [UInt8] = []
  var last = [Line](repeating: Line(), count: slots)
  /// Of the lines that are written.
  var words = WordMap()

  /// Where a line is in `text`, and in the map of words where its bits do.
  struct Line {
    var text = 0..<0
    var words = 0..<0
  }

  /// From this many on, a count of bytes needs a number of its own.
  static let most = 12

  mutating func removeAll() {
    text.removeAll(keepingCapacity: true)
    words.removeAll()
    for i in 0..<Self.slots { last[i] = Line() }
  }

  subscript(range: Range<Int>) -> ArraySlice<UInt8> { text[range] }
  var bytes: [UInt8] { text }

  // MARK: Reading

  /// The next line, as a range of `bytes`.
  mutating func decode(
    _ bytes: borrowing Span<UInt8>, at offset: inout Int, address: Address?, user: borrowing Span<UInt8>
  ) -> Range<Int>? {
    var reader = ByteReader(offset: offset)
    guard let slot: UInt8 = reader.integer(bytes), slot < Self.slots, let length = reader.varint(bytes),
      length <= Self.longest
    else { return nil }
    let old = last[Int(slot)].text
    let most = Self.most
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
      if code >= Mark.number {
        guard let next = put(code, &reader, bytes, address, user, at: at, end: end) else { return nil }
        at = next
        continue
      }
      guard count <= end - at, count <= bytes.count - reader.offset else { return nil }
      for i in 0..<count { text[at + i] = bytes[reader.offset + i] }
      at += count
      reader.offset += count
    }
    last[Int(slot)].text = start..<end
    offset = reader.offset
    return start..<end
  }

  /// Writes what a mark represents; returns where it ends.
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
}
