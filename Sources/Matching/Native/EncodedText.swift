/// What a client's request decodes to, once and twice: an application may have decoded a name before nginx did.
enum EncodedText {
  /// Does the text at `place`, decoded, hold the line at `claim` behind a line end?
  ///
  /// nginx may have taken slashes and dot segments out of the path (`//`, `/./`, `/x/../`): what follows a slash of the line may
  /// be behind any later slash of the text.
  static func holdsLine(_ text: borrowing Span<UInt8>, _ claim: Range<Int>, in place: Range<Int>) -> Bool {
    // Most requests have nothing encoded.
    guard text.first("%", in: place) != nil else { return false }
    let once = decode(text.extracting(place))
    guard once.count < place.count else { return false }
    if holds(once.span, text.extracting(claim)) { return true }
    let twice = decode(once.span)
    return twice.count < once.count && holds(twice.span, text.extracting(claim))
  }

  private static func decode(_ text: borrowing Span<UInt8>) -> [UInt8] {
    var decoded: [UInt8] = []
    decoded.reserveCapacity(text.count)
    var at = 0
    while at < text.count {
      if text[at] == UInt8(ascii: "%"), at + 2 < text.count, let high = digit(text[at + 1]),
        let low = digit(text[at + 2])
      {
        decoded.append(high << 4 | low)
        at += 3
      } else {
        decoded.append(text[at])
        at += 1
      }
    }
    return decoded
  }

  private static func digit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
  }

  private static func holds(_ text: borrowing Span<UInt8>, _ line: borrowing Span<UInt8>) -> Bool {
    var piece = 0
    var before = UInt8(ascii: "\n")
    var from = 0
    repeat {
      var end = piece
      while end < line.count, line[end] != UInt8(ascii: "/") { end += 1 }
      // With its slash, unless it is the last.
      let bytes = piece..<min(end + 1, line.count)
      guard let found = find(line, bytes, in: text, from: from, behind: before) else { return false }
      from = found
      before = UInt8(ascii: "/")
      piece = bytes.upperBound
    } while piece < line.count
    return true
  }

  /// Where the bytes end in the text that begin behind a byte `before`, at `from` or later.
  private static func find(
    _ line: borrowing Span<UInt8>, _ bytes: Range<Int>, in text: borrowing Span<UInt8>, from: Int, behind before: UInt8
  ) -> Int? {
    var start = max(from, 1)
    while start + bytes.count <= text.count {
      if text[start - 1] == before {
        var matched = 0
        while matched < bytes.count, isSame(text[start + matched], line[bytes.lowerBound + matched]) { matched += 1 }
        if matched == bytes.count { return start + matched }
      }
      start += 1
    }
    return nil
  }

  /// A form's `+` is a space.
  private static func isSame(_ text: UInt8, _ line: UInt8) -> Bool {
    text == line || line == UInt8(ascii: " ") && text == UInt8(ascii: "+")
  }
}
