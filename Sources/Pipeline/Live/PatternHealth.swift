public import Model
internal import Synchronization

/// A pattern that needed more work than the match limit allows on some line.
public struct StoppedPattern: Sendable, Equatable {
  public var pattern: PatternName
  public var hits: Int
  /// It is not tried any more.
  public var isQuarantined: Bool
}

/// Which patterns were stopped at their limit, on all sources together. One that was stopped `tolerance` times is
/// quarantined: it would go on costing a thousand times what a line may cost, and it does not find what it should anyway.
public final class PatternHealth: Sendable {
  public static let tolerance = 10

  private let hits = Mutex<[PatternName: Int]>([:])
  private let onNews: @Sendable (PatternName, Int, Bool) -> Void

  /// - Parameter onNews: called at a pattern's first hit and when it is quarantined, with its hits so far.
  public init(
    onNews: @escaping @Sendable (_ pattern: PatternName, _ hits: Int, _ isQuarantined: Bool) -> Void = { _, _, _ in }
  ) {
    self.onNews = onNews
  }

  /// Counts a hit; true when the pattern is not to be tried again.
  public func gaveUp(_ pattern: PatternName) -> Bool {
    let count = hits.withLock { hits in
      hits[pattern, default: 0] += 1
      return hits[pattern]!
    }
    if count == 1 || count == Self.tolerance { onNews(pattern, count, count == Self.tolerance) }
    return count >= Self.tolerance
  }

  public var all: [StoppedPattern] {
    hits.withLock { $0 }.map { StoppedPattern(pattern: $0, hits: $1, isQuarantined: $1 >= Self.tolerance) }
      .sorted { ($0.pattern.filter, $0.pattern.name) < ($1.pattern.filter, $1.pattern.name) }
  }

  /// New settings: every pattern has a new chance.
  public func removeAll() { hits.withLock { $0.removeAll() } }
}
