/// One YAML document, read by libyaml (https://pyyaml.org/wiki/LibYAML).
public struct YAMLDocument: Sendable {
  /// A key that a mapping holds already; the first one counts.
  public struct DuplicateKey: Sendable {
    public var key: String
    public var line: Int
    public var column: Int
    public var firstLine: Int
  }

  /// Nil for a text without any value.
  public private(set) var root: YAMLNode?
  public private(set) var duplicates: [DuplicateKey] = []

  /// Deeper nesting is no settings file.
  static let deepest = 100
  /// Nodes, with what aliases repeat (the "billion laughs").
  static let most = 1 << 20

  private var anchors: [String: YAMLNode] = [:]

  public init(_ text: String) throws(YAMLError) {
    let parser = YAMLParser(text)
    guard case .streamStart = try parser.next().kind else { return }
    let first = try parser.next()
    guard case .documentStart = first.kind else { return }
    root = try node(try parser.next(), parser, depth: 0)
    _ = try parser.next()
    let end = try parser.next()
    guard case .streamEnd = end.kind else {
      throw end.error("expected a single document in the stream: but found another document")
    }
  }

  private mutating func node(_ event: YAMLEvent, _ parser: YAMLParser, depth: Int) throws(YAMLError) -> YAMLNode {
    guard depth <= Self.deepest else { throw event.error("nested deeper than \(Self.deepest) levels") }
    var node = YAMLNode(.sequence([]), line: event.line, column: event.column)
    node.isFlow = event.isFlow
    switch event.kind {
    case .alias(let name):
      // An anchor counts once its value is complete, so nothing can hold itself.
      guard let known = anchors[name] else { throw event.error("found undefined alias") }
      node = known
      (node.line, node.column) = (event.line, event.column)
    case .scalar(let text, let style): node.content = .scalar(text, style)
    case .sequenceStart: node.content = .sequence(try items(parser, depth, &node.size))
    case .mappingStart: node.content = .mapping(try entries(parser, depth, &node.size))
    default: throw event.error("expected a value")
    }
    guard node.size <= Self.most else { throw event.error("the aliases expand to too much") }
    if let anchor = event.anchor { anchors[anchor] = node }
    return node
  }

  private mutating func items(_ parser: YAMLParser, _ depth: Int, _ size: inout Int) throws(YAMLError) -> [YAMLNode] {
    var items: [YAMLNode] = []
    while true {
      let event = try parser.next()
      if case .sequenceEnd = event.kind { return items }
      items.append(try node(event, parser, depth: depth + 1))
      size += items[items.count - 1].size
    }
  }

  private mutating func entries(
    _ parser: YAMLParser, _ depth: Int, _ size: inout Int
  ) throws(YAMLError) -> [YAMLNode.Entry] {
    var entries: [YAMLNode.Entry] = []
    var lines: [String: Int] = [:]
    while true {
      let event = try parser.next()
      if case .mappingEnd = event.kind { return entries }
      let key = try node(event, parser, depth: depth + 1)
      let value = try node(try parser.next(), parser, depth: depth + 1)
      size += key.size + value.size
      if let text = key.text {
        if let first = lines[text] {
          duplicates.append(DuplicateKey(key: text, line: key.line, column: key.column, firstLine: first))
          continue
        }
        lines[text] = key.line
      }
      entries.append(.init(key: key, value: value))
    }
  }
}
