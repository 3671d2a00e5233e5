public import Model
internal import Synchronization

/// A pattern that needed more work than the match limit allows on some line.
public struct StoppedPattern: Sendable, Equatable {
  public var pattern: PatternName
  public var hits: Int
}

/// Which patterns were stopped at their limit, on all sources together. A line on which one is stopped is lost for it; the
/// pattern goes on, since one client must not switch it off for the others.
public final class PatternHealth: Sendable {
  private let hits = Mutex<[PatternName: Int]>([:])
  private let onNews: @Sendable (PatternName, Int) -> Void

  /// - Parameter onNews: called with a pattern's first hit, its tenth, its hundredth and so on.
  public init(onNews: @escaping @Sendable (_ pattern: PatternName, _ hits: Int) -> Void = { _, _ in }) {
    self.onNews = onNews
  }

  public func gaveUp(_ pattern: PatternName) {
    let count = hits.withLock { hits in
      hits[pattern, default: 0] += 1
      return hits[pattern]!
    }
    var news = 1
    while news < count, news < 1_000_000 { news *= 10 }
    if news == count { onNews(pattern, count) }
  }

  public var all: [StoppedPattern] {
    hits.withLock { $0 }.map { StoppedPattern(pattern: $0, hits: $1) }
      .sorted { ($0.pattern.filter, $0.pattern.name) < ($1.pattern.filter, $1.pattern.name) }
  }

  /// New settings: what was said of a pattern may be true no more.
  public func removeAll() { hits.withLock { $0.removeAll() } }
}
