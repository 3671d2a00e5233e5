/// A text with names in braces, `{id} is banned in {jail}`; a brace that encloses no name is text, so JSON needs no escapes.
public struct MessageTemplate: Sendable, Equatable {
  public enum Part: Sendable, Equatable {
    case text(String)
    case field(Field)
  }

  /// What a template may name.
  public enum Field: String, Sendable, CaseIterable {
    // Of one event.
    case id, jail, kind, action, time, until, duration, failures, number, cause, user, pattern, line, subject, detail,
      command, uid, summary
    // Of a message, which may tell of several.
    case text, title, events, count, severity, host, output

    /// Does it exist only where a message is about one event?
    public var isOfOneEvent: Bool { Self.allCases.firstIndex(of: self)! <= Self.allCases.firstIndex(of: .summary)! }
  }

  public var parts: [Part]

  public struct UnknownName: Error, Equatable {
    public var name: String
  }

  public init(_ text: String) throws(UnknownName) {
    parts = []
    var plain = ""
    var rest = text[...]
    while let open = rest.firstIndex(of: "{") {
      plain += rest[..<open]
      let name = rest[rest.index(after: open)...].prefix { $0 == "_" || $0.isASCII && $0.isLetter }
      let isName = !name.isEmpty && name.endIndex < rest.endIndex && rest[name.endIndex] == "}"
      guard isName else {
        plain += "{"
        rest = rest[rest.index(after: open)...]
        continue
      }
      guard let field = Field(rawValue: String(name)) else { throw UnknownName(name: String(name)) }
      if !plain.isEmpty { parts.append(.text(plain)) }
      plain = ""
      parts.append(.field(field))
      rest = rest[rest.index(after: name.endIndex)...]
    }
    plain += rest
    if !plain.isEmpty { parts.append(.text(plain)) }
  }

  public var fields: [Field] { parts.compactMap { if case .field(let field) = $0 { field } else { nil } } }

  /// Is it about one event, so that a message can hold no more?
  public var isOfOneEvent: Bool { fields.contains(where: \.isOfOneEvent) }
}
