public import Matching
public import Model

/// Matches lines the way fail2ban does: decode, find the date and cut it out, `prefregex`, the first `failregex` that fits,
/// `ignoreregex`, sessions, the id.
///
/// ```swift
/// let filter = try Fail2banFilter(rules, name: "sshd", file: "/etc/fail2ban/filter.d/sshd.conf")
/// let matcher = Fail2banMatcher(filter)
/// matcher.tryLine(line, clock: &clock) { failure in … }
/// ```
/// It belongs to one thread and to one source: dates and sessions of different logs must not meet. A line that comes to
/// nothing costs no allocation.
public final class Fail2banMatcher: ForeignMatcher {
  public typealias Outcome = LineOutcome

  /// What became of the lines; only ever grows.
  public struct Counts: Sendable, Equatable {
    public var failures = 0
    public var ignored = 0
    public var noted = 0
    public var pending = 0
    /// Patterns that were stopped at a limit.
    public var gaveUp = 0
    /// Sessions given up for want of room.
    public var evictedSessions = 0
    /// Failures of a host name where names are not asked for (`usedns = no`).
    public var unresolved = 0
  }

  public let filter: Fail2banFilter
  public var counts: Counts { search.counts }

  private var search: Fail2banSearch
  /// Those of `failregex` that are tried where nobody says which may match.
  private let all: PatternBits

  public init(_ filter: Fail2banFilter) {
    self.filter = filter
    search = Fail2banSearch(filter)
    all = PatternBits(count: filter.patternCount, all: true)
  }

  /// Tries one line, without its line end. With `time`, the line carries no date and this is it, as from the journal.
  @discardableResult
  public func tryLine(
    _ line: borrowing Span<UInt8>, clock: inout LogClock, time: Instant? = nil, _ body: (Fail2banFailure) -> Void
  ) -> Outcome {
    let outcome = search.tryLine(line, &clock, time, wanted: all, from: 0)
    if outcome == .failure { body(search.failure) }
    return outcome
  }

  /// Tries only those of `failregex` that are in `wanted`, where the first one's place is `first`. A failure is written down
  /// in `match`. Also tells how many patterns were stopped at their limit.
  package func tryLine(
    _ line: borrowing Span<UInt8>, _ clock: inout LogClock, _ time: Instant?, wanted: PatternBits, from first: Int,
    into match: inout Match, captures: Bool
  ) -> (outcome: Outcome, gaveUp: Int) {
    // All in one call: each access to what a class holds is checked.
    search.tryLine(line, &clock, time, wanted: wanted, from: first, into: &match, captures: captures)
  }

  /// Those of `failregex` that were stopped at their limit since this was last asked.
  package func takeStopped() -> [Int] { search.takeStopped() }
}
