/// A value of a YAML document that knows where it was written.
///
/// Scalars are the text that was typed (`no`, `1e3`, `2026-01-01`): what a key wants decides what they mean.
///
/// ```swift
/// let document = try YAMLDocument(text)
/// if case .mapping(let entries)? = document.root?.content { … }
/// ```
public struct YAMLNode: Sendable {
  public enum ScalarStyle: Sendable {
    case plain, quoted
    /// After `|` or `>`, in lines of its own.
    case block
  }

  public enum Content: Sendable {
    case scalar(String, ScalarStyle)
    case sequence([YAMLNode])
    /// In the order of the file. Keys are distinct.
    case mapping([Entry])
  }

  public struct Entry: Sendable {
    public var key: YAMLNode
    public var value: YAMLNode

    public init(key: YAMLNode, value: YAMLNode) {
      self.key = key
      self.value = value
    }
  }

  public var content: Content
  /// From 1; columns in characters.
  public var line: Int
  public var column: Int
  /// Of a sequence or mapping: written in brackets or braces.
  public var isFlow = false
  /// How many nodes it has with all that is in it, aliases followed.
  var size = 1

  public init(_ content: Content, line: Int = 1, column: Int = 1) {
    self.content = content
    self.line = line
    self.column = column
  }

  /// A plain scalar.
  public init(_ text: String) { self.init(.scalar(text, .plain)) }

  /// The entries of a mapping.
  public var entries: [Entry]? {
    if case .mapping(let entries) = content { entries } else { nil }
  }

  /// The items of a sequence.
  public var items: [YAMLNode]? {
    if case .sequence(let items) = content { items } else { nil }
  }

  /// The text of one value, however it is quoted.
  public var text: String? {
    if case .scalar(let text, _) = content { text } else { nil }
  }

  /// Nothing, `~` or `null` (YAML 1.2, section 10.2.1.1).
  public var isNull: Bool {
    guard case .scalar(let text, .plain) = content else { return false }
    return ["", "~", "null", "Null", "NULL"].contains(text)
  }
}

/// A text that is no YAML, or one that this reader refuses.
public struct YAMLError: Error, Sendable {
  /// What the parser stumbled over, in libyaml's words.
  public var message: String
  /// From 1.
  public var line: Int
  public var column: Int
}
