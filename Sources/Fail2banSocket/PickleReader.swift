/// Reads a pickle of any protocol (0 to 5) that holds nothing but lists, texts, numbers, booleans and None; a tuple becomes a list.
///
/// Whatever would import a name, call or build an object is refused: a pickle is a program, and the real server runs it. The
/// opcodes are those of Python's pickletools.
public struct PickleReader {
  public struct Failure: Error, Hashable, Sendable {
    public var message: String
    public var offset: Int
  }

  private struct Item {
    var value: PickleValue
    var depth: Int
  }

  /// A list in a list in a list …
  static let deepest = 32
  /// Items of one list.
  static let longest = 10_000
  /// Values on the stack and in the memo.
  static let most = 100_000

  private let bytes: [UInt8]
  private var at = 0
  private var stack: [Item] = []
  private var marks: [Int] = []
  /// Texts and numbers that come again; a list that does is refused, since it could hold itself.
  private var memo: [Int: PickleValue] = [:]

  private init(_ bytes: [UInt8]) { self.bytes = bytes }

  public static func read(_ bytes: [UInt8]) throws(Failure) -> PickleValue {
    var reader = PickleReader(bytes)
    return try reader.run()
  }

  private func failure(_ message: String) -> Failure { Failure(message: message, offset: at) }

  private mutating func run() throws(Failure) -> PickleValue {
    while true {
      let opcode = try byte()
      if opcode == UInt8(ascii: ".") {
        guard stack.count == 1, marks.isEmpty, at == bytes.count else { throw failure("the pickle does not end here") }
        return stack[0].value
      }
      guard stack.count < Self.most, memo.count < Self.most else { throw failure("the pickle holds too many values") }
      try step(opcode)
    }
  }

  private mutating func step(_ opcode: UInt8) throws(Failure) {
    switch opcode {
    // Frames are only a hint to who reads from a file.
    case 0x80: guard try byte() <= 5 else { throw failure("an unknown protocol") }
    case 0x95: _ = try take(8)
    case UInt8(ascii: "("): marks.append(stack.count)
    case UInt8(ascii: "N"): push(.none)
    case 0x88: push(.bool(true))
    case 0x89: push(.bool(false))
    case UInt8(ascii: "]"), UInt8(ascii: ")"): push(.list([]))
    case UInt8(ascii: "l"), UInt8(ascii: "t"): try collect(try popMark())
    case 0x85, 0x86, 0x87: try collect(stack.count - Int(opcode - 0x84))
    case UInt8(ascii: "a"): try append(stack.count - 1)
    case UInt8(ascii: "e"): try append(try popMark())
    default:
      if try !number(opcode), try !text(opcode), try !remembered(opcode) {
        throw failure("an opcode that is not accepted")
      }
    }
  }

  // MARK: Numbers

  private mutating func number(_ opcode: UInt8) throws(Failure) -> Bool {
    switch opcode {
    case UInt8(ascii: "K"): push(.int(Int(try byte())))
    case UInt8(ascii: "M"): push(.int(try unsigned(2)))
    case UInt8(ascii: "J"): push(.int(Int(Int32(truncatingIfNeeded: try unsigned(4)))))
    case 0x8a: push(.int(try long(Int(try byte()))))
    case UInt8(ascii: "G"):
      var bits: UInt64 = 0
      for byte in try take(8) { bits = bits << 8 | UInt64(byte) }
      push(.float(Double(bitPattern: bits)))
    case UInt8(ascii: "I"), UInt8(ascii: "L"):
      let line = try line()
      if line == "01" || line == "00" {
        push(.bool(line == "01"))
      } else {
        guard let number = Int(line.hasSuffix("L") ? line.dropLast() : line[...]) else {
          throw failure("a number that is none")
        }
        push(.int(number))
      }
    case UInt8(ascii: "F"):
      guard let number = Double(try line()) else { throw failure("a number that is none") }
      push(.float(number))
    default: return false
    }
    return true
  }

  private mutating func long(_ count: Int) throws(Failure) -> Int {
    guard count <= 8 else { throw failure("a number that is too large") }
    let digits = Array(try take(count))
    var value = digits.last.map { $0 >= 0x80 ? -1 : 0 } ?? 0
    for digit in digits.reversed() { value = value << 8 | Int(digit) }
    return value
  }

  // MARK: Texts

  private mutating func text(_ opcode: UInt8) throws(Failure) -> Bool {
    let count: Int
    switch opcode {
    case 0x8c, UInt8(ascii: "U"), UInt8(ascii: "C"): count = Int(try byte())
    case UInt8(ascii: "X"), UInt8(ascii: "T"), UInt8(ascii: "B"): count = try unsigned(4)
    case 0x8d: count = try unsigned(8)
    case UInt8(ascii: "V"):
      push(.text(try unescaped(try latin1Line(), kinds: "uU")))
      return true
    case UInt8(ascii: "S"):
      let quoted = try line()
      guard quoted.utf8.count >= 2, let quote = quoted.first, quote == "'" || quote == "\"", quoted.last == quote else {
        throw failure("a text without quotes")
      }
      push(.text(try unescaped(String(quoted.dropFirst().dropLast()), kinds: "xuUnrt\\'\"")))
      return true
    default: return false
    }
    guard let text = String(validating: try take(count), as: UTF8.self) else {
      throw failure("a text that is no UTF-8")
    }
    push(.text(text))
    return true
  }

  /// `\u00fc`, `\xfc`, `\n` and so on, as protocol 0 writes them. A backslash before anything but `kinds` is one.
  private func unescaped(_ text: String, kinds: String) throws(Failure) -> String {
    guard text.utf8.contains(UInt8(ascii: "\\")) else { return text }
    var result = String.UnicodeScalarView()
    var rest = text.unicodeScalars[...]
    while let scalar = rest.popFirst() {
      guard scalar == "\\", let kind = rest.first, kinds.unicodeScalars.contains(kind) else {
        result.append(scalar)
        continue
      }
      rest.removeFirst()
      let digits: [Unicode.Scalar: Int] = ["x": 2, "u": 4, "U": 8]
      let plain: [Unicode.Scalar: Unicode.Scalar] = ["n": "\n", "r": "\r", "t": "\t", "\\": "\\", "'": "'", "\"": "\""]
      if let count = digits[kind] {
        guard rest.count >= count, let code = UInt32(String(rest.prefix(count)), radix: 16),
          let decoded = Unicode.Scalar(code)
        else { throw failure("an escape that is none") }
        result.append(decoded)
        rest = rest.dropFirst(count)
      } else {
        guard let decoded = plain[kind] else { throw failure("an escape that is none") }
        result.append(decoded)
      }
    }
    return String(result)
  }

  // MARK: The memo

  private mutating func remembered(_ opcode: UInt8) throws(Failure) -> Bool {
    switch opcode {
    case 0x94: try remember(memo.count)
    case UInt8(ascii: "q"): try remember(Int(try byte()))
    case UInt8(ascii: "r"): try remember(try unsigned(4))
    case UInt8(ascii: "p"): try remember(try index())
    case UInt8(ascii: "h"): try recall(Int(try byte()))
    case UInt8(ascii: "j"): try recall(try unsigned(4))
    case UInt8(ascii: "g"): try recall(try index())
    default: return false
    }
    return true
  }

  private mutating func index() throws(Failure) -> Int {
    guard let index = Int(try line()), index >= 0 else { throw failure("an index that is none") }
    return index
  }

  private mutating func remember(_ index: Int) throws(Failure) {
    guard let last = stack.last else { throw failure("nothing to remember") }
    memo[index] = last.value
  }

  private mutating func recall(_ index: Int) throws(Failure) {
    guard let value = memo[index] else { throw failure("nothing was remembered here") }
    if case .list = value { throw failure("a list that comes twice") }
    push(value)
  }

  // MARK: Lists

  private mutating func push(_ value: PickleValue) { stack.append(Item(value: value, depth: 0)) }

  private mutating func popMark() throws(Failure) -> Int {
    guard let mark = marks.popLast() else { throw failure("no list was begun") }
    return mark
  }

  private mutating func items(from start: Int) throws(Failure) -> (values: [PickleValue], depth: Int) {
    guard start >= 0, start <= stack.count, start >= (marks.last ?? 0) else {
      throw failure("a list without its items")
    }
    let items = stack[start...]
    let depth = (items.map(\.depth).max() ?? 0) + 1
    guard depth <= Self.deepest else { throw failure("lists in lists in lists") }
    let values = items.map(\.value)
    stack.removeSubrange(start...)
    return (values, depth)
  }

  private mutating func collect(_ start: Int) throws(Failure) {
    let (values, depth) = try items(from: start)
    stack.append(Item(value: .list(values), depth: depth))
  }

  private mutating func append(_ start: Int) throws(Failure) {
    let (values, depth) = try items(from: start)
    guard let list = stack.popLast(), stack.count >= (marks.last ?? 0), case .list(var all) = list.value else {
      throw failure("items without a list")
    }
    guard all.count + values.count <= Self.longest else { throw failure("a list that is too long") }
    all += values
    stack.append(Item(value: .list(all), depth: max(list.depth, depth)))
  }

  // MARK: Bytes

  private mutating func byte() throws(Failure) -> UInt8 {
    guard at < bytes.count else { throw failure("the pickle ends too early") }
    defer { at += 1 }
    return bytes[at]
  }

  private mutating func take(_ count: Int) throws(Failure) -> ArraySlice<UInt8> {
    guard count >= 0, count <= bytes.count - at else { throw failure("the pickle ends too early") }
    defer { at += count }
    return bytes[at..<at + count]
  }

  /// Little-endian.
  private mutating func unsigned(_ count: Int) throws(Failure) -> Int {
    var value: UInt64 = 0
    for byte in try take(count).reversed() { value = value << 8 | UInt64(byte) }
    guard value <= UInt64(Int.max) else { throw failure("a number that is too large") }
    return Int(value)
  }

  /// Protocol 0 writes what is above U+00FF as escapes and the rest as Latin-1 ("raw-unicode-escape").
  private mutating func latin1Line() throws(Failure) -> String {
    guard let end = bytes[at...].firstIndex(of: 10) else { throw failure("the pickle ends too early") }
    defer { at = end + 1 }
    return String(String.UnicodeScalarView(bytes[at..<end].map { Unicode.Scalar($0) }))
  }

  private mutating func line() throws(Failure) -> String {
    guard let end = bytes[at...].firstIndex(of: 10) else { throw failure("the pickle ends too early") }
    let line = String(validating: bytes[at..<end], as: UTF8.self)
    at = end + 1
    guard let line else { throw failure("a text that is no UTF-8") }
    return line
  }
}
