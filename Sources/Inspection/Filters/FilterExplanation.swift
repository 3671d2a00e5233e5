public import Filters
public import System

/// What a filter sees, needs and misses, for an administrator.
public struct FilterExplanation: Hashable, Sendable, Encodable {
  public struct Pattern: Hashable, Sendable, Encodable {
    public var name: String
    /// `1`, `0`, or `2 or 1` where a text decides.
    public var weight: String
    /// A line that it finds; empty: none has been given.
    public var example: String
  }

  public struct Place: Hashable, Sendable, Encodable {
    /// A path, or a match of the journal.
    public var text: String
    /// Nil: a match of the journal, of which nobody knows before it is read.
    public var isHere: Bool?
  }

  public var filter: String
  public var summary: String
  public var file: String
  /// What the author wrote at the head of the file: versions, sources, what must be set, what cannot be told.
  public var about: [String]
  public var program: [String]
  public var format: [String]
  public var places: [Place]
  public var port: [String]
  public var maxretry: Int?
  public var findtime: String?
  public var patterns: [Pattern]
  /// Lines that look like failures and are none.
  public var spared: [String]

  /// - Parameter isHere: is there a file with this path, or one that matches this glob?
  public init(
    _ definition: FilterDefinition, head: [String], isHere: (String) -> Bool = { !Glob.paths($0).isEmpty }
  ) {
    filter = definition.name
    summary = definition.summary
    file = definition.file
    about = head
    places =
      definition.journalmatch.map { Place(text: $0, isHere: nil) }
      + definition.logpath.map { Place(text: $0, isHere: isHere($0)) }
    port = definition.port
    maxretry = definition.maxretry
    findtime = definition.findtime?.brief
    spared = definition.samples.filter { $0.expect == nil }.map(\.line)
    program = []
    format = []
    patterns = []
    guard case .native(let rules) = definition.rules else { return }
    program = rules.programs
    format = rules.formats.map(\.format.name).filter { $0 != "text" }
    patterns = rules.patterns.filter { $0.role == nil }.map { pattern in
      let example = definition.samples.first { $0.expect?["pattern"] == pattern.name }?.line ?? ""
      return Pattern(name: pattern.name, weight: Self.text(pattern.weight), example: example)
    }
  }

  private static func text(_ weight: Weight) -> String {
    switch weight {
    case .fixed(let number): "\(number)"
    case .captured(_, let values, let otherwise):
      Set(values.values).union([otherwise]).sorted(by: >).map(String.init).joined(separator: " or ")
    }
  }

  /// The comment with which a filter's file begins, a paragraph each.
  public static func head(_ text: String) -> [String] {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false).prefix { $0.hasPrefix("#") }
    return lines.map { $0.dropFirst().drop { $0 == " " } }.split { $0.isEmpty }.map { $0.joined(separator: " ") }
  }
}
