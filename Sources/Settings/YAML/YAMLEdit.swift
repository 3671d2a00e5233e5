internal import YAML

/// Sets one value in a YAML text, and leaves everything else, comments too, as it was typed.
///
/// The text is changed where libyaml says that the value is; then it is read again, and must say what was wanted and nothing
/// else. Text that is written in a way that this does not see through is refused rather than mangled.
struct YAMLEdit {
  struct Failure: Error {
    var message: String
    var remedy: String
  }

  /// Without their ends. libyaml counts code points.
  private var lines: [[Unicode.Scalar]]

  /// `text` with `value`, which is YAML in one line, at `path`; the same text when it is there already.
  static func setting(_ path: [String], to value: String, in text: String) throws(Failure) -> String {
    let node = try parse(value, "the value")
    guard let node, !value.unicodeScalars.contains("\n") else {
      throw Failure(message: "the value is not one line of YAML", remedy: "write lists as [a, b], maps as {key: value}")
    }
    let root = try parse(text, "the file")
    let wanted = replacing(root, path[...], with: node)
    if let root, same(root, wanted) { return text }
    var edit = YAMLEdit(
      lines: text.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false).map(Array.init))
    try edit.set(path, value, in: root)
    let result = edit.lines.map { line in String(String.UnicodeScalarView(line)) }.joined(separator: "\n")
    guard let read = try? parse(result, "the file"), same(read, wanted) else {
      throw Failure(
        message: "\(quoted(path.joined(separator: "."))) is written in a way that cannot be changed from here",
        remedy: "edit the file by hand")
    }
    return result
  }

  private static func parse(_ text: String, _ what: String) throws(Failure) -> YAMLNode? {
    let document: YAMLDocument
    do throws(YAMLError) { document = try YAMLDocument(text) } catch {
      throw Failure(message: "\(what) is no YAML", remedy: "check the quotes and the brackets")
    }
    guard document.duplicates.isEmpty else {
      throw Failure(message: "\(what) gives a key twice", remedy: "keep one of them")
    }
    return document.root.flatMap { $0.isNull ? nil : $0 }
  }

  // MARK: - What is wanted

  private static func replacing(_ node: YAMLNode?, _ path: ArraySlice<String>, with value: YAMLNode) -> YAMLNode {
    guard let key = path.first else { return value }
    var entries = node?.entries ?? []
    if let index = entries.firstIndex(where: { $0.key.text == key }) {
      entries[index].value = replacing(entries[index].value, path.dropFirst(), with: value)
    } else {
      entries.append(.init(key: YAMLNode(key), value: replacing(nil, path.dropFirst(), with: value)))
    }
    return YAMLNode(.mapping(entries))
  }

  /// Do both say the same, however they are written?
  static func same(_ one: YAMLNode, _ other: YAMLNode) -> Bool {
    switch (one.content, other.content) {
    case (.scalar(let one, let style), .scalar(let other, let otherStyle)):
      return one == other && (style == .plain) == (otherStyle == .plain)
    case (.sequence(let one), .sequence(let other)):
      return one.count == other.count && zip(one, other).allSatisfy(same)
    case (.mapping(let one), .mapping(let other)):
      return one.count == other.count && zip(one, other).allSatisfy { same($0.key, $1.key) && same($0.value, $1.value) }
    default: return false
    }
  }

  // MARK: - Where it is

  /// A place in the text, from 0.
  private struct Position: Comparable {
    var line: Int
    var column: Int

    init(line: Int, column: Int) {
      self.line = line
      self.column = column
    }

    init(_ node: YAMLNode) { self.init(line: node.line - 1, column: node.column - 1) }

    static func < (one: Position, other: Position) -> Bool { (one.line, one.column) < (other.line, other.column) }
  }

  private mutating func set(_ path: [String], _ value: String, in root: YAMLNode?) throws(Failure) {
    guard var map = root, map.entries != nil else {
      if root != nil { throw Failure(message: "the file is no map of keys and values", remedy: "write key: value") }
      return append(path[...], value, indent: 0, after: lines.lastIndex { !$0.isEmpty } ?? -1)
    }
    var inFlow = false
    for (depth, name) in path.enumerated() {
      inFlow = inFlow || map.isFlow
      guard let entry = map.entries?.first(where: { $0.key.text == name }) else {
        return try insert(path[depth...], value, into: map)
      }
      let (key, node) = (entry.key, entry.value)
      if depth == path.count - 1 { return try replace(key, node, with: value, inFlow: inFlow) }
      if node.isNull {
        return try replace(key, node, with: Self.flow(path[(depth + 1)...], value), inFlow: inFlow)
      }
      guard node.entries != nil else {
        throw Failure(
          message: "\(quoted(path[...depth].joined(separator: "."))) has a value, and so no keys",
          remedy: "set it as a whole")
      }
      map = node
    }
  }

  /// `{a: {b: value}}`
  private static func flow(_ path: ArraySlice<String>, _ value: String) -> String {
    path.reversed().reduce(value) { inner, key in "{\(key): \(inner)}" }
  }

  // MARK: - A value that is there

  private mutating func replace(_ key: YAMLNode, _ node: YAMLNode, with value: String, inFlow: Bool) throws(Failure) {
    if node.isNull || isBlock(node) {
      return try replaceBlock(Position(key), isNull: node.isNull, with: value)
    }
    let start = Position(node)
    let end = try self.end(of: node, at: start, inFlow: inFlow)
    let tail = Array(lines[end.line][end.column...])
    lines[start.line] = Array(lines[start.line][..<start.column]) + Array(value.unicodeScalars) + tail
    lines.removeSubrange(start.line + 1..<end.line + 1)
  }

  /// Is it written in lines of its own below its key?
  private func isBlock(_ node: YAMLNode) -> Bool {
    switch node.content {
    case .scalar(_, let style): style == .block
    case .sequence, .mapping: !node.isFlow
    }
  }

  /// The value takes the place of everything below the key but of comments behind it and after it.
  private mutating func replaceBlock(_ key: Position, isNull: Bool, with value: String) throws(Failure) {
    let line = lines[key.line]
    guard let colon = line[key.column...].firstIndex(of: ":") else { throw Self.unseen }
    let comment = Self.comment(in: line, from: colon + 1)
    lines[key.line] =
      Array(line[...colon]) + Array(" \(value)".unicodeScalars) + (comment.map { Array(line[$0...]) } ?? [])
    guard !isNull else { return }
    lines.removeSubrange(key.line + 1..<extent(from: key.line + 1, indent: key.column + 1, list: key.column) + 1)
  }

  /// The last line, from `first` on, that is indented by at least `indent`, or begins an item of a list at `list`.
  private func extent(from first: Int, indent: Int, list: Int? = nil) -> Int {
    var last = first - 1
    for index in first..<max(first, lines.count) {
      let line = lines[index]
      let spaces = line.prefix { $0 == " " }.count
      let isBlank = spaces == line.count || line[spaces] == "#"
      if isBlank { continue }
      guard spaces >= indent || (spaces == list && line[spaces] == "-") else { break }
      last = index
    }
    return last
  }

  /// Where the comment begins, with the space before it.
  private static func comment(in line: [Unicode.Scalar], from start: Int) -> Int? {
    line.indices.first { $0 >= start && line[$0] == "#" && line[$0 - 1] == " " }.map { hash in
      (start..<hash).last { line[$0] != " " }.map { $0 + 1 } ?? start
    }
  }

  /// The end of a value that begins at `start` and is no block.
  private func end(of node: YAMLNode, at start: Position, inFlow: Bool) throws(Failure) -> Position {
    switch lines[start.line][start.column] {
    case "[", "{", "\"", "'": return try closing(from: start)
    default:
      let line = lines[start.line]
      let rest = start.column..<line.count
      let stop = rest.first { index in
        (inFlow && ",]}".unicodeScalars.contains(line[index])) || (line[index] == "#" && line[index - 1] == " ")
      }
      var end = start
      end.column =
        (start.column..<(stop ?? line.count)).last { line[$0] != " " && line[$0] != "\r" }.map { $0 + 1 }
        ?? start.column
      return end
    }
  }

  /// Behind the bracket or quote that closes the one at `start`.
  private func closing(from start: Position) throws(Failure) -> Position {
    var depth = 0
    var quote: Unicode.Scalar?
    var at = start
    while at.line < lines.count {
      let line = lines[at.line]
      while at.column < line.count {
        let scalar = line[at.column]
        defer { at.column += 1 }
        if let open = quote {
          if open == "\"", scalar == "\\" { at.column += 1 }
          if scalar == open { quote = nil }
        } else {
          switch scalar {
          case "\"", "'": quote = scalar
          case "[", "{": depth += 1
          case "]", "}": depth -= 1
          case "#" where at.column > 0 && line[at.column - 1] == " ": at.column = line.count
          default: break
          }
        }
        // A doubled quote inside single quotes opens it again.
        let isDoubled = scalar == "'" && at.column + 1 < line.count && line[at.column + 1] == "'"
        if depth == 0, quote == nil, !isDoubled { return Position(line: at.line, column: at.column + 1) }
      }
      at = Position(line: at.line + 1, column: 0)
    }
    throw Self.unseen
  }

  // MARK: - A key that is not there

  private mutating func insert(_ path: ArraySlice<String>, _ value: String, into map: YAMLNode) throws(Failure) {
    guard map.isFlow else {
      guard let first = map.entries?.first?.key else { throw Self.unseen }
      let indent = first.column - 1
      return append(path, value, indent: indent, after: extent(from: first.line - 1, indent: indent))
    }
    var close = try closing(from: Position(map))
    close.column -= 1
    let line = lines[close.line]
    let before = (0..<close.column).last { line[$0] != " " }
    let comma = map.entries?.isEmpty == true || before.map { line[$0] == "," } == true ? "" : ", "
    let text = "\(comma)\(path.first!): \(Self.flow(path.dropFirst(), value))"
    let at = before.map { $0 + 1 } ?? close.column
    lines[close.line].insert(contentsOf: text.unicodeScalars, at: at)
  }

  private mutating func append(_ path: ArraySlice<String>, _ value: String, indent: Int, after line: Int) {
    var added: [[Unicode.Scalar]] = []
    for (depth, key) in path.enumerated() {
      let text =
        String(repeating: " ", count: indent + 2 * depth) + key + ":" + (depth == path.count - 1 ? " " + value : "")
      added.append(Array(text.unicodeScalars))
    }
    let position = max(min(line + 1, lines.count), 0)
    lines.insert(contentsOf: added, at: position)
    // A text ends with a line's end.
    if lines.last?.isEmpty == false { lines.append([]) }
  }

  private static let unseen = Failure(message: "its place in the file is not known", remedy: "edit the file by hand")
}
