/// A line of Docker's json-file driver (daemon/logger/jsonfilelog/jsonlog/jsonlogbytes.go of moby): the keys always come in
/// the order log, stream, attrs, time, so what a program writes into `log` cannot become a key.
struct DockerRecord {
  /// How many bytes the program had written; Docker cuts a line after exactly 16,384 and tells by nothing else.
  private(set) var length = 0
  /// Did the text end with LF?
  private(set) var isEnded = false
  private(set) var stream = OutputStream.out
  /// Of the record's time in the line, as RFC 3339.
  private(set) var time = 0..<0

  /// After so many bytes Docker begins another record.
  static let cut = 16_384

  static func begins(_ line: borrowing Span<UInt8>) -> Bool { Bytes.matches(line, 0, #"{"log":""#) }

  /// Appends the text to `payload`, unescaped and without its LF. Nil where the line is no such record; `payload` is then as
  /// it was.
  init?(_ line: borrowing Span<UInt8>, _ range: Range<Int>, into payload: inout [UInt8]) {
    let start = payload.count
    guard Bytes.matches(line, range.lowerBound, #"{"log":""#),
      let end = text(line, range.lowerBound + 8..<range.upperBound, into: &payload), tail(line, end..<range.upperBound)
    else {
      payload.removeSubrange(start...)
      return nil
    }
    // No LF is left within: Docker splits at each.
    if isEnded { payload.removeLast() }
  }

  /// Returns where the text's closing quote is.
  private mutating func text(
    _ line: borrowing Span<UInt8>, _ range: Range<Int>, into payload: inout [UInt8]
  ) -> Int? {
    var at = range.lowerBound
    var quote = -1
    while at < range.upperBound {
      if quote < at {
        guard let next = Bytes.first(UInt8(ascii: "\""), line, at..<range.upperBound) else { return nil }
        quote = next
      }
      let stop = Bytes.first(UInt8(ascii: "\\"), line, at..<quote) ?? quote
      Bytes.append(line, at..<stop, to: &payload)
      length += stop - at
      if stop > at { isEnded = false }
      guard stop < quote else { return quote }
      guard let next = escape(line, stop + 1, range.upperBound, into: &payload) else { return nil }
      at = next
    }
    return nil
  }

  /// What follows a backslash at `at - 1`; returns the offset behind it.
  private mutating func escape(
    _ line: borrowing Span<UInt8>, _ at: Int, _ end: Int, into payload: inout [UInt8]
  ) -> Int? {
    guard at < end else { return nil }
    isEnded = false
    var byte = line[at]
    switch byte {
    case UInt8(ascii: "n"):
      byte = 10
      isEnded = true
    case UInt8(ascii: "r"): byte = 13
    case UInt8(ascii: "t"): byte = 9
    case UInt8(ascii: "b"): byte = 8
    case UInt8(ascii: "f"): byte = 12
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): break
    case UInt8(ascii: "u"):
      guard at + 5 <= end, let value = Self.hex(line, at + 1) else { return nil }
      // A byte that was no UTF-8 is written so, one for one.
      length += value == 0xFFFD ? 1 : UTF8.width(Unicode.Scalar(value) ?? "\u{FFFD}")
      // Go writes what is above U+FFFF as it is, so there are no surrogates.
      for unit in UTF8.encode(Unicode.Scalar(value) ?? "\u{FFFD}")! { payload.append(unit) }
      return at + 5
    default: return nil
    }
    payload.append(byte)
    length += 1
    return at + 1
  }

  /// `","stream":"stderr","attrs":{…},"time":"…"}` from the text's closing quote on.
  private mutating func tail(_ line: borrowing Span<UInt8>, _ range: Range<Int>) -> Bool {
    guard Bytes.matches(line, range.lowerBound, #"","stream":""#) else { return false }
    let name = range.lowerBound + 12
    guard name + 7 <= range.upperBound, let stream = OutputStream(line, name..<name + 6),
      line[name + 6] == UInt8(ascii: "\"")
    else { return false }
    self.stream = stream
    let end = range.upperBound - 2
    guard end > name + 6, line[end] == UInt8(ascii: "\""), line[end + 1] == UInt8(ascii: "}") else { return false }
    var start = end
    while start > name + 7, line[start - 1] != UInt8(ascii: "\"") { start -= 1 }
    guard start - 9 >= name + 7, Bytes.matches(line, start - 9, #","time":""#) else { return false }
    time = start..<end
    return true
  }

  private static func hex(_ line: borrowing Span<UInt8>, _ at: Int) -> UInt32? {
    var value: UInt32 = 0
    for i in at..<at + 4 {
      let digit: UInt8
      switch line[i] {
      case 48...57: digit = line[i] - 48
      case 97...102: digit = line[i] - 87
      case 65...70: digit = line[i] - 55
      default: return nil
      }
      value = value << 4 | UInt32(digit)
    }
    return value
  }
}
