/// How long something took, how often: observations in seconds, counted in buckets of fixed bounds.
public struct Histogram: Sendable, Equatable {
  /// Upper bounds in seconds, each included in its bucket.
  public static let bounds = [
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60,
  ]

  private var buckets = [UInt64](repeating: 0, count: bounds.count)
  public private(set) var count: UInt64 = 0
  /// Seconds.
  public private(set) var sum = 0.0

  public init() {}

  public mutating func observe(_ seconds: Double) {
    count += 1
    sum += max(0, seconds)
    if let bucket = Self.bounds.firstIndex(where: { seconds <= $0 }) { buckets[bucket] += 1 }
  }

  /// For each bound how many observations were not above it.
  public var cumulative: [(bound: Double, count: UInt64)] {
    var total: UInt64 = 0
    return zip(Self.bounds, buckets).map { bound, count in
      total += count
      return (bound, total)
    }
  }
}
