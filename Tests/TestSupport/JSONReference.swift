/// What a JSON line says about fields, worked out slowly: the whole tree first, the fields from it. Nil: no object that a filter
/// may believe.
public struct JSONReference {
  indirect enum Tree {
    /// A string's text, or a number, `true` or `false` as it is written; nil: null.
    case scalar([UInt8]?)
    case object([(key: [UInt8], value: Tree)], text: [UInt8])
    case array([Tree])
  }

  private var text: [UInt8]
  private var at = 0
  private var root: Tree = .scalar(nil)

  struct Refused: Error {}

  public init?(_ line: [UInt8]) {
    text = line
    do {
      while peek() == 32 { at += 1 }
      if Array(text[at...]).starts(with: "@cee:".utf8) { at += 5 }
      while peek() == 32 { at += 1 }
      guard peek() == UInt8(ascii: "{") else { return nil }
      root = try value(depth: 1)
      space()
      guard at == text.count else { return nil }
    } catch {
      return nil
    }
  }

  /// The texts of a field; nil: it is there twice. An element without a text (an empty array) is an empty text.
  public func values(_ path: String) -> [[UInt8]]? {
    let parts = path.split(separator: ".", omittingEmptySubsequences: false).map { Array($0.utf8) }
    return try? Self.values(root, parts[...])
  }

  /// Would a line be refused for this field?
  private static func values(_ tree: Tree, _ path: ArraySlice<[UInt8]>) throws -> [[UInt8]] {
    switch tree {
    case .scalar(let text):
      return path.isEmpty && text != nil && text! != [] && text! != [UInt8(ascii: "-")] ? [text!] : []
    case .object(let members, let text):
      if path.isEmpty { return [text] }
      var found: [[UInt8]] = []
      var seen: [[UInt8]] = []
      for (key, value) in members {
        for count in 1...path.count where key == Array(path.prefix(count).joined(separator: [UInt8(ascii: ".")])) {
          if seen.contains(key) { throw Refused() }
          seen.append(key)
          found += try values(value, path.dropFirst(count))
        }
      }
      return found
    case .array(let elements):
      if elements.isEmpty { return path.isEmpty ? [[]] : [] }
      return try elements.enumerated().flatMap { index, element in
        var found = try values(element, path)
        if let first = path.first, first == Array("\(index)".utf8) { found += try values(element, path.dropFirst()) }
        return found
      }
    }
  }

  private func peek() -> UInt8? { at < text.count ? text[at] : nil }

  private mutating func take() throws -> UInt8 {
    guard let byte = peek() else { throw Refused() }
    at += 1
    return byte
  }

  private mutating func space() { while let byte = peek(), [32, 9, 10, 13].contains(byte) { at += 1 } }

  private mutating func value(depth: Int) throws -> Tree {
    space()
    let start = at
    switch peek() {
    case UInt8(ascii: "\""): return .scalar(try string())
    case UInt8(ascii: "{"):
      guard depth <= 64 else { throw Refused() }
      at += 1
      var members: [(key: [UInt8], value: Tree)] = []
      space()
      if peek() == UInt8(ascii: "}") {
        at += 1
        return .object([], text: Array(text[start..<at]))
      }
      while true {
        space()
        let key = try string()
        space()
        guard try take() == UInt8(ascii: ":") else { throw Refused() }
        members.append((key, try value(depth: depth + 1)))
        space()
        let byte = try take()
        if byte == UInt8(ascii: "}") { return .object(members, text: Array(text[start..<at])) }
        guard byte == UInt8(ascii: ",") else { throw Refused() }
      }
    case UInt8(ascii: "["):
      guard depth <= 64 else { throw Refused() }
      at += 1
      var elements: [Tree] = []
      space()
      if peek() == UInt8(ascii: "]") {
        at += 1
        return .array([])
      }
      while true {
        elements.append(try value(depth: depth + 1))
        space()
        let byte = try take()
        if byte == UInt8(ascii: "]") { return .array(elements) }
        guard byte == UInt8(ascii: ",") else { throw Refused() }
      }
    default:
      var end = at
      while end < text.count, !" \t\r\n,]}".utf8.contains(text[end]) { end += 1 }
      let word = String(decoding: text[at..<end], as: UTF8.self)
      at = end
      switch word {
      case "null": return .scalar(nil)
      case "true", "false": return .scalar(Array(word.utf8))
      default:
        guard word.wholeMatch(of: #/-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?/#) != nil else { throw Refused() }
        return .scalar(Array(word.utf8))
      }
    }
  }

  private mutating func string() throws -> [UInt8] {
    guard try take() == UInt8(ascii: "\"") else { throw Refused() }
    var out: [UInt8] = []
    while true {
      let byte = try take()
      if byte == UInt8(ascii: "\"") { return out }
      guard byte >= 0x20 else { throw Refused() }
      guard byte == UInt8(ascii: "\\") else {
        out.append(byte)
        continue
      }
      let escape = try take()
      if let index = "\"\\/bfnrt".utf8.map({ $0 }).firstIndex(of: escape) {
        out.append("\"\\/\u{8}\u{C}\n\r\t".utf8.map { $0 }[index])
        continue
      }
      guard escape == UInt8(ascii: "u") else { throw Refused() }
      var unit = try hex()
      if 0xD800..<0xDC00 ~= unit {
        guard try take() == UInt8(ascii: "\\"), try take() == UInt8(ascii: "u") else { throw Refused() }
        let low = try hex()
        guard 0xDC00..<0xE000 ~= low else { throw Refused() }
        unit = 0x10000 + (unit - 0xD800) * 0x400 + (low - 0xDC00)
      }
      guard let scalar = Unicode.Scalar(unit) else { throw Refused() }
      out += Array(String(Character(scalar)).utf8)
    }
  }

  private mutating func hex() throws -> UInt32 {
    guard at + 4 <= text.count else { throw Refused() }
    let digits = text[at..<at + 4]
    guard digits.allSatisfy({ "0123456789abcdefABCDEF".utf8.contains($0) }) else { throw Refused() }
    at += 4
    return UInt32(String(decoding: digits, as: UTF8.self), radix: 16)!
  }
}
