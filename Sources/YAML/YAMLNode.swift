/// A value of a YAML document that knows where it was written.
///
/// Scalars are the text that was typed (`no`, `1e3`, `2026-01-01`): what a key wants decides what they mean.
///
/// ```swift
/// let document = try YAMLDocument(text)
/// if case .mapping(let entries)? = document.root?.content { … }
/// ```
public struct YAMLNode: Sendable {
  public enum Content: Sendable {
    /// Plain: without quotes and not in a block.
    case scalar(String, isPlain: Bool)
    case sequence([YAMLNode])
    /// In the order of the file. Keys are distinct.
    case mapping([Entry])
  }

  public struct Entry: Sendable {
    public var key: YAMLNode
    public var value: YAMLNode
  }

  public var content: Content
  /// From 1; columns in characters.
  public var line: Int
  public var column: Int
  /// How many nodes it has with all that is in it, aliases followed.
  var size = 1

  /// The text of one value, however it is quoted.
  public var text: String? {
    if case .scalar(let text, _) = content { text } else { nil }
  }

  /// Nothing, `~` or `null` (YAML 1.2, section 10.2.1.1).
  public var isNull: Bool {
    guard case .scalar(let text, isPlain: true) = content else { return false }
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
