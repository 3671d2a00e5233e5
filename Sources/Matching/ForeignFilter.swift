package import Model

/// A filter of another engine: what it needs of the line, and how to make what matches lines with it.
package protocol ForeignFilter: Sendable {
  var patternNames: [String] { get }
  /// Every pattern as PCRE2 gets it.
  var expressions: [String] { get }
  /// For each pattern the texts of which one must be in a line that it matches.
  var requiredLiterals: [RequiredLiterals?] { get }

  /// One for each thread and source.
  func makeMatcher() -> any ForeignMatcher
}

/// Reads whole lines in another engine's way. Belongs to one thread and one source.
package protocol ForeignMatcher: AnyObject {
  /// Tries those patterns that are in `wanted`, where the first one's slot is `first`. With `time`, the line carries no date
  /// and this is it, as from the journal. A failure is written down in `match`. Also returns how many patterns were stopped
  /// at their limit.
  func tryLine(
    _ line: borrowing Span<UInt8>, _ clock: inout LogClock, _ time: Instant?, wanted: PatternBits, from first: Int,
    into match: inout Match, captures: Bool
  ) -> (outcome: LineOutcome, gaveUp: Int)

  /// The patterns that were stopped at their limit since this was last asked.
  func takeStopped() -> [Int]
}

/// What a line came to.
public enum LineOutcome: Sendable {
  case none
  case failure
  /// A pattern for lines that are no failures cancelled the match.
  case ignored
  /// No failure by itself: it carries data for its session, or tells of a success.
  case noted
  /// A failure that waits for a line of its session to bring the address.
  case pending
}
