public import Model

/// Groups a log's lines by their shape, for `bailiff filter new`.
public struct LineShapes: Sendable {
  private struct Key: Hashable {
    var program: String?
    var pieces: [LineShape.Piece]
  }

  private var shapes: [Key: LineShape] = [:]
  private var order: [Key] = []
  /// A log of nothing but different texts would fill memory.
  private static let most = 10_000

  public init() {}

  public mutating func add(_ line: String) {
    let (program, message) = Self.header(line)
    var reader = ShapeReader(message)
    let key = Key(program: program, pieces: reader.read())
    if shapes[key] == nil {
      guard shapes.count < Self.most else { return }
      order.append(key)
      var shape = LineShape(program: program, pieces: key.pieces)
      shape.example = line
      shape.addresses = reader.addresses.map { [$0] }
      shapes[key] = shape
    }
    shapes[key]!.count += 1
    for (place, address) in reader.addresses.enumerated() { shapes[key]!.addresses[place].insert(address) }
  }

  /// Those with an address, the most frequent first.
  public var withAddress: [LineShape] {
    order.compactMap { shapes[$0] }.filter { !$0.addresses.isEmpty }
      .enumerated().sorted { ($1.element.count, $0.offset) < ($0.element.count, $1.offset) }.map(\.element)
  }

  /// The addresses of a line, in order.
  public static func addresses(in line: String) -> [Address] {
    var reader = ShapeReader(header(line).message)
    _ = reader.read()
    return reader.addresses
  }

  /// Syslog's header: its program, and what is behind it. Other lines are messages as they are.
  static func header(_ line: String) -> (program: String?, message: Substring) {
    let stamps =
      #/^(?:<[0-9]{1,3}>)?(?:[A-Z][a-z]{2} [ 0-9][0-9] [0-9:]{8}|[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]{8,15}(?:Z|[+-][0-9:]{5})) [^ ]+ ([A-Za-z][A-Za-z0-9_.\/-]*)(?:\[[0-9]+\])?: /#
    guard let match = line.prefixMatch(of: stamps) else { return (nil, line[...]) }
    return (match.output.1.split(separator: "/").first.map(String.init), line[match.range.upperBound...])
  }
}

/// Reads a message into pieces.
private struct ShapeReader {
  private var rest: Substring
  private var pieces: [LineShape.Piece] = []
  private(set) var addresses: [Address] = []
  /// Was the last word one that introduces a name?
  private var expectsUser = false

  init(_ message: Substring) { rest = message }

  mutating func read() -> [LineShape.Piece] {
    while let first = rest.first {
      if first.isASCII, first.isHexDigit || first == ":", let address = address() {
        addresses.append(address)
        pieces.append(.address)
        expectsUser = false
      } else if first.isLetter || first.isNumber || first == "_" {
        word()
      } else {
        append(String(first))
        rest.removeFirst()
        if first == "," || first == ";" || first == ")" { expectsUser = false }
      }
    }
    return pieces
  }

  /// An address at the beginning of the rest; a port behind it, after a colon, is left.
  private mutating func address() -> Address? {
    let run = rest.prefix { $0.isASCII && ($0.isHexDigit || $0 == ":" || $0 == ".") }
    guard run.contains(".") || run.contains(":") else { return nil }
    var candidates = [run]
    if let colon = run.lastIndex(of: ":"), !run[..<colon].contains(":") { candidates.append(run[..<colon]) }
    while let last = candidates.last, last.hasSuffix(".") || last.hasSuffix(":") { candidates.append(last.dropLast()) }
    for candidate in candidates where candidate.count > 2 {
      guard let address = Address(candidate) else { continue }
      rest = rest[candidate.endIndex...]
      return address
    }
    return nil
  }

  private mutating func word() {
    let run = rest.prefix { $0.isLetter || $0.isNumber || "_-.@+\\$".contains($0) }
    var word = run
    while word.count > 1, let last = word.last, ".-".contains(last) { word = word.dropLast() }
    rest = rest[word.endIndex...]
    let lower = word.lowercased()
    if expectsUser, !Self.fillers.contains(lower) {
      pieces.append(.user)
      expectsUser = false
    } else if word.contains("@") {
      pieces.append(.user)
    } else if word.allSatisfy(\.isNumber) {
      pieces.append(.number)
    } else if word.contains(where: \.isNumber) || Self.calendar.contains(lower) {
      pieces.append(.word)
    } else {
      append(String(word))
      if Self.introductions.contains(lower) {
        expectsUser = true
      } else if !Self.fillers.contains(lower) {
        expectsUser = false
      }
    }
  }

  private mutating func append(_ text: String) {
    if case .text(let before)? = pieces.last {
      pieces[pieces.count - 1] = .text(before + text)
    } else {
      pieces.append(.text(text))
    }
  }

  private static let introductions: Set<String> = [
    "user", "for", "login", "account", "username", "uname", "name", "email", "ruser", "usr", "by",
  ]
  /// Words that may stand between an introduction and the name.
  private static let fillers: Set<String> = [
    "invalid", "illegal", "unknown", "user", "username", "name", "account", "login", "for", "the", "with", "from",
    "failed", "failure", "attempt", "attempts", "is", "was", "not", "and", "password", "at", "on", "in", "to", "error",
    "incorrect", "denied", "a", "an", "of", "email", "address", "ip", "client", "host", "by",
  ]
  private static let calendar: Set<String> = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec", "mon", "tue", "wed", "thu",
    "fri", "sat", "sun", "am", "pm",
  ]
}
