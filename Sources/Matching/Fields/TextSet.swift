/// Where a text's escapes are undone; used again for every line.
struct DecodedText {
  fileprivate var once: [UInt8] = []
  fileprivate var twice: [UInt8] = []

  init() {}
}

/// Texts that are looked for in what clients send: without regard to case, and also where they are written with percent signs,
/// once or twice, with `+` for a space, or with a server's `\xHH`.
///
/// One pass over a text asks for each two bytes whether any of the set begins with them; the work is the same whoever wrote the
/// text.
struct TextSet: Sendable {
  /// One bit for each pair of bytes in lower case that begins one.
  private var pairs = [UInt64](repeating: 0, count: 1024)
  /// What a line must hold in which one of them is found; nil where that cannot be told.
  let literals: PatternSyntax?
  /// By their first byte.
  private var texts = [[[UInt8]]](repeating: [], count: 256)

  /// Nil when one is shorter than two bytes.
  init?(_ all: [String]) {
    literals = Self.requiredLiterals(all)
    for text in all {
      let bytes = text.utf8.map(Self.lower)
      guard bytes.count >= 2 else { return nil }
      let pair = Int(bytes[0]) << 8 | Int(bytes[1])
      pairs[pair >> 6] |= 1 << UInt64(pair & 63)
      texts[Int(bytes[0])].append(bytes)
    }
  }

  /// Is one of them in `text`, or in what it means?
  func isFound(in text: borrowing Span<UInt8>, _ scratch: inout DecodedText) -> Bool {
    if isFoundPlain(in: text) { return true }
    guard Self.decode(text, into: &scratch.once) else { return false }
    if isFoundPlain(in: scratch.once.span) { return true }
    // Taken out while it is written to, and put back.
    var twice: [UInt8] = []
    swap(&twice, &scratch.twice)
    defer { swap(&twice, &scratch.twice) }
    guard Self.decode(scratch.once.span, into: &twice) else { return false }
    return isFoundPlain(in: twice.span)
  }

  private func isFoundPlain(in text: borrowing Span<UInt8>) -> Bool {
    guard text.count >= 2 else { return false }
    var first = Self.lower(text[0])
    for at in 1..<text.count {
      let second = Self.lower(text[at])
      let pair = Int(first) << 8 | Int(second)
      if pairs[pair >> 6] & 1 << UInt64(pair & 63) != 0 {
        for candidate in texts[Int(first)] where Self.isAt(at - 1, text, candidate) { return true }
      }
      first = second
    }
    return false
  }

  private static func isAt(_ at: Int, _ text: borrowing Span<UInt8>, _ candidate: [UInt8]) -> Bool {
    guard at + candidate.count <= text.count else { return false }
    for index in candidate.indices where lower(text[at + index]) != candidate[index] { return false }
    return true
  }

  private static func lower(_ byte: UInt8) -> UInt8 { byte &- UInt8(ascii: "A") < 26 ? byte | 0x20 : byte }

  /// What `text` means, with one layer of its escapes undone; false when it has none.
  private static func decode(_ text: borrowing Span<UInt8>, into decoded: inout [UInt8]) -> Bool {
    decoded.removeAll(keepingCapacity: true)
    var hasEscapes = false
    var at = 0
    while at < text.count {
      let byte = text[at]
      at += 1
      if byte == UInt8(ascii: "+") {
        hasEscapes = true
        decoded.append(UInt8(ascii: " "))
        continue
      }
      let digits = byte == UInt8(ascii: "%") ? at : starts(text, at - 1, with: "\\x") ? at + 1 : nil
      if let digits, digits + 1 < text.count, let high = hexDigit(text[digits]), let low = hexDigit(text[digits + 1]) {
        hasEscapes = true
        decoded.append(high << 4 | low)
        at = digits + 2
      } else {
        decoded.append(byte)
      }
    }
    return hasEscapes
  }

  /// The longest part of each that has no space, or one of its bytes as an escape; nil where one has no such part.
  private static func requiredLiterals(_ texts: [String]) -> PatternSyntax? {
    var parts: [PatternSyntax] = []
    var escaped: Set<UInt8> = [UInt8(ascii: "%")]
    for text in texts {
      let longest = text.utf8.split(separator: UInt8(ascii: " ")).max { $0.count < $1.count }
      guard let longest, longest.count >= RequiredLiterals.shortest else { return nil }
      parts.append(.sequence(longest.map { .byte($0, caseless: true) }))
      for byte in longest {
        // A letter may be written in either case, the other being 0x20 away.
        let isLetter = lower(byte) &- UInt8(ascii: "a") < 26
        escaped.formUnion(isLetter ? [byte | 0x20, byte & 0xDF] : [byte])
      }
    }
    for byte in escaped.sorted() {
      let hex = String(byte, radix: 16)
      let digits = Array((byte < 16 ? "0" + hex : hex).utf8)
      for lead in ["%", "\\x"] {
        parts.append(.sequence((Array(lead.utf8) + digits).map { .byte($0, caseless: true) }))
      }
    }
    return .alternation(parts)
  }
}
