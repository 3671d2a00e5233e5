/// What must hold for a field of the line: one entry of a pattern's `where`.
///
/// A field that is missing, `null`, empty or `-` (which logs write for nothing) is absent, and holds no condition but
/// `absent: true` and `not`. Of a JSON array's elements one must hold the condition; `not` holds when none does.
public struct FieldCondition: Sendable, Equatable {
  public enum Test: Sendable, Equatable {
    /// The whole text is one of these. Numbers and `true` are compared as they are written.
    case equals([String])
    /// A pattern that is found in the text; its `<host>`, `<user>`, `<port>` and `(?<name>…)` count as in `match`.
    case match(String)
    /// One of these texts is in it, without regard to case; also where it is written with percent signs, once or twice, with
    /// `+` for a space, or with a server's `\xHH`.
    case has([String])
    /// A number that is not smaller.
    case atLeast(Int)
    /// A number that is smaller.
    case below(Int)
    case absent(Bool)
    /// None of these holds.
    indirect case not([Test])
  }

  /// A role of `fields`, else a field of the format.
  public var field: String
  /// All of these.
  public var tests: [Test]
  public var place: Place

  public init(field: String, tests: [Test], place: Place = Place(file: "", line: 0, column: 0)) {
    self.field = field
    self.tests = tests
    self.place = place
  }
}
