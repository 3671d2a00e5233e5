/// A line that a filter carries with what must come of it.
public struct Sample: Sendable, Equatable {
  public var line: String
  /// The line before it in the log, where that decides (`untrustedAfterOpenQuote`).
  public var before: String?
  /// Nil: no failure. Keys: `pattern`, `host`, `user`, `count`, `weight` and any named group.
  public var expect: [String: String]?
  public var place: Place

  public init(line: String, before: String? = nil, expect: [String: String]?, place: Place) {
    self.line = line
    self.before = before
    self.expect = expect
    self.place = place
  }
}
