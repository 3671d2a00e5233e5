internal import Filters
internal import Model

/// Reads fields as the named groups of a pattern: the administrator's own (`split`), or one that is made from a server's
/// format string.
struct SplitReader: Sendable {
  private let pattern: Pattern
  /// The same, where every text that may hold anything is taken as long as possible. When both do not agree, a client wrote
  /// what follows such a text, and the line is not believed.
  private let longest: Pattern?
  /// For each slot the groups of which one has it.
  private let groups: [(slot: Int, groups: [Int])]
  private let request: Int?
  private let requestLine: RequestLine

  init(_ split: SplitFormat, _ fields: [(slot: Int, name: String)]) throws(FilterError) {
    let pattern: Pattern
    do { pattern = try Pattern(split.pattern, options: [.dotAll, .dollarEndOnly, .duplicateNames]) } catch {
      throw FilterError(place: split.place, message: "format split: \(error)", remedy: "mend the pattern")
    }
    for field in fields where !pattern.names.contains(where: { $0.name == field.name }) {
      throw FilterError(
        place: split.place, message: "the format has no field `\(field.name)`",
        remedy: "name a group of the pattern, as in (?<\(field.name)>…)")
    }
    self.init(pattern, nil, fields)
  }

  init(_ server: ServerFormat, _ fields: [(slot: Int, name: String)]) throws(FilterError) {
    let parser = try ServerFormatParser(server)
    do {
      self.init(
        try Pattern(parser.pattern(isGreedy: false), options: [.dotAll, .dollarEndOnly, .duplicateNames]),
        parser.hasOpenTexts
          ? try Pattern(parser.pattern(isGreedy: true), options: [.dotAll, .dollarEndOnly, .duplicateNames]) : nil,
        fields)
    } catch {
      throw FilterError(place: server.place, message: "format \(server.kind.rawValue): \(error)", remedy: "use split")
    }
  }

  /// `option httplog` and `option httpslog` of HAProxy (its configuration manual, 8.2.3): what a client sends is in the last
  /// quotes and in the braces before them, where HAProxy writes `"`, `{`, `|` and `}` as `#` and two digits. A long
  /// request is cut off without its quote.
  init(haproxy fields: [(slot: Int, name: String)]) {
    let text =
      #"^(?<host>[0-9A-Fa-f.:]+):(?<port>[0-9]+) \[(?<time>[^\]]{20,40})\] (?<frontend>[^ ]+) (?<backend>[^ /]+)/(?<server>[^ ]+) "#
      + #"(?:-?[0-9]+/){4}\+?-?[0-9]+ (?<status>-?[0-9]+) \+?(?<size>[0-9]+) [^ ]+ [^ ]+ (?<termination>[A-Za-z-]{4}) "#
      + #"(?:[0-9]+/){4}\+?[0-9]+ [0-9]+/[0-9]+ (?:\{[^"]*\} ){0,2}"(?<request>[^"]*)(?:"(?: [^ ]+)*)?$"#
    do { self.init(try Pattern(text, options: [.dotAll, .dollarEndOnly]), nil, fields) } catch {
      fatalError("\(error)")  // a pattern of ours, which tests compile
    }
  }

  static let haproxyFields = [
    "host", "port", "time", "frontend", "backend", "server", "status", "size", "termination", "request", "method",
    "path", "protocol",
  ]

  private init(_ pattern: Pattern, _ longest: Pattern?, _ fields: [(slot: Int, name: String)]) {
    self.pattern = pattern
    self.longest = longest
    groups = fields.compactMap { field in
      let groups = pattern.names.filter { $0.name == field.name }.map(\.group)
      return groups.isEmpty || field.name == "request" ? nil : (field.slot, groups)
    }
    request = pattern.group(named: "request")
    requestLine = RequestLine(fields)
  }

  func read(
    _ line: borrowing Span<UInt8>, _ scratch: inout MatchScratch, into table: inout FieldTable
  ) throws(Unread) {
    switch scratch.match(pattern, line) {
    case .matched: break
    case .none: throw .otherFormat
    case .gaveUp: throw .unbelieved
    }
    for (slot, groups) in groups {
      guard let range = scratch.first(of: groups) else { continue }
      table.add(slot, line, range)
    }
    if let request, let range = scratch.group(request) { requestLine.read(line, range, into: &table) }
    guard let longest else { return }
    guard scratch.match(longest, line) == .matched else { throw .unbelieved }
    for (slot, groups) in groups {
      let range = scratch.first(of: groups) ?? 0..<0
      let value = table.value(slot).map { table.values[$0].range } ?? 0..<0
      if value != range, !(value.isEmpty && range.count <= 1) { throw .unbelieved }
    }
  }
}
