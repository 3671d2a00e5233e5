/// Reads a line that is one JSON object (RFC 8259), strictly and in one pass: everything is checked, and what the filter asks
/// for is noted. What a client writes into a string cannot become a key, since only the tokenizer says where strings end.
///
/// Not believed are: a key that occurs twice among those that are asked for, a string that ends nowhere, an escape or a number
/// that is none, a lone surrogate, nesting deeper than 64, anything behind the object.
struct JSONReader {
  static let deepest = 64

  private let keys: JSONKeys
  private var at = 0
  private var depth = 0

  /// Puts the object's fields into `table`, each into the slots of its path.
  static func read(_ text: borrowing Span<UInt8>, _ keys: JSONKeys, into table: inout FieldTable) throws(Unread) {
    var reader = JSONReader(keys: keys)
    reader.at = try start(text)
    try reader.object(text, keys.root, &table)
    reader.skipSpace(text)
    guard reader.at == text.count else { throw .unbelieved }
  }

  private init(keys: JSONKeys) { self.keys = keys }

  /// Where the object begins: perhaps behind spaces, and behind the cookie of structured syslog.
  private static func start(_ text: borrowing Span<UInt8>) throws(Unread) -> Int {
    var at = skipSpaces(text, 0)
    if starts(text, at, with: "@cee:") { at = skipSpaces(text, at + 5) }
    guard at < text.count, text[at] == UInt8(ascii: "{") else { throw .otherFormat }
    return at
  }

  private mutating func skipSpace(_ text: borrowing Span<UInt8>) {
    while at < text.count {
      switch text[at] {
      case UInt8(ascii: " "), 9, 10, 13: at += 1
      default: return
      }
    }
  }

  /// The next byte that is no space, which is taken.
  private mutating func next(_ text: borrowing Span<UInt8>) throws(Unread) -> UInt8 {
    skipSpace(text)
    guard at < text.count else { throw .unbelieved }
    at += 1
    return text[at - 1]
  }

  /// `node` is below 0 where nothing is asked for.
  private mutating func object(_ text: borrowing Span<UInt8>, _ node: Int, _ table: inout FieldTable) throws(Unread) {
    try enter()
    var seen: UInt64 = 0
    var byte = try next(text)
    if byte != UInt8(ascii: "}") {
      while true {
        guard byte == UInt8(ascii: "\"") else { throw .unbelieved }
        let found = try key(text, node, &table)
        guard try next(text) == UInt8(ascii: ":") else { throw .unbelieved }
        if let found {
          guard seen & 1 << UInt64(found) == 0 else { throw .unbelieved }
          seen |= 1 << UInt64(found)
          try value(text, keys.nodes[node].keys[found].node, &table)
        } else {
          try value(text, -1, &table)
        }
        byte = try next(text)
        if byte == UInt8(ascii: "}") { break }
        guard byte == UInt8(ascii: ",") else { throw .unbelieved }
        byte = try next(text)
      }
    }
    depth -= 1
  }

  private mutating func enter() throws(Unread) {
    at += 1
    depth += 1
    if depth > Self.deepest { throw .unbelieved }
  }

  /// Takes a key, whose quote has been taken; which of the node's it is.
  private mutating func key(_ text: borrowing Span<UInt8>, _ node: Int, _ table: inout FieldTable) throws(Unread)
    -> Int?
  {
    let start = at
    let (end, isEscaped) = try JSONText.end(text, from: start)
    at = end + 1
    guard node >= 0 else { return nil }
    guard isEscaped else { return keys.find(node, text, start..<end) }
    return table.withScratch { scratch in
      JSONText.unescape(text, start..<end, into: &scratch)
      return keys.find(node, scratch.span, 0..<scratch.count)
    }
  }

  private mutating func value(_ text: borrowing Span<UInt8>, _ node: Int, _ table: inout FieldTable) throws(Unread) {
    skipSpace(text)
    guard at < text.count else { throw .unbelieved }
    let start = at
    switch text[at] {
    case UInt8(ascii: "\""):
      let (end, isEscaped) = try JSONText.end(text, from: start + 1)
      at = end + 1
      note(node, text, start + 1..<end, isEscaped ? .json : .plain, &table)
    case UInt8(ascii: "{"):
      try object(text, node, &table)
      note(node, text, start..<at, .plain, &table)
    case UInt8(ascii: "["): try array(text, node, &table)
    case UInt8(ascii: "t"): try literal(text, "true", node, &table)
    case UInt8(ascii: "f"): try literal(text, "false", node, &table)
    case UInt8(ascii: "n"):
      guard starts(text, at, with: "null") else { throw .unbelieved }
      at += 4
    default:
      try number(text)
      note(node, text, start..<at, .plain, &table)
    }
  }

  private mutating func array(_ text: borrowing Span<UInt8>, _ node: Int, _ table: inout FieldTable) throws(Unread) {
    try enter()
    skipSpace(text)
    guard at < text.count else { throw .unbelieved }
    if text[at] == UInt8(ascii: "]") {
      at += 1
      if node >= 0 { for slot in keys.nodes[node].slots { table.addNothing(slot) } }
    } else {
      var index = 0
      while true {
        try value(text, element(node, index), &table)
        index += 1
        let byte = try next(text)
        if byte == UInt8(ascii: "]") { break }
        guard byte == UInt8(ascii: ",") else { throw .unbelieved }
      }
    }
    depth -= 1
  }

  private func element(_ node: Int, _ index: Int) -> Int {
    guard node >= 0 else { return node }
    for element in keys.nodes[node].elements where element.index == index { return element.node }
    return node
  }

  private mutating func literal(
    _ text: borrowing Span<UInt8>, _ literal: StaticString, _ node: Int, _ table: inout FieldTable
  ) throws(Unread) {
    guard starts(text, at, with: literal) else { throw .unbelieved }
    let start = at
    at += literal.utf8CodeUnitCount
    note(node, text, start..<at, .plain, &table)
  }

  private mutating func number(_ text: borrowing Span<UInt8>) throws(Unread) {
    if text[at] == UInt8(ascii: "-") { at += 1 }
    let leadsWithZero = at < text.count && text[at] == UInt8(ascii: "0")
    let whole = try digits(text)
    if leadsWithZero, whole > 1 { throw .unbelieved }
    if at < text.count, text[at] == UInt8(ascii: ".") {
      at += 1
      _ = try digits(text)
    }
    if at < text.count, text[at] | 0x20 == UInt8(ascii: "e") {
      at += 1
      if at < text.count, text[at] == UInt8(ascii: "+") || text[at] == UInt8(ascii: "-") { at += 1 }
      _ = try digits(text)
    }
  }

  /// Takes one digit or more; how many there were.
  private mutating func digits(_ text: borrowing Span<UInt8>) throws(Unread) -> Int {
    let start = at
    while at < text.count, isDigit(text[at]) { at += 1 }
    guard at > start else { throw .unbelieved }
    return at - start
  }

  private func note(
    _ node: Int, _ text: borrowing Span<UInt8>, _ range: Range<Int>, _ form: FieldTable.Form, _ table: inout FieldTable
  ) {
    guard node >= 0 else { return }
    for slot in keys.nodes[node].slots { table.add(slot, text, range, form) }
  }
}
