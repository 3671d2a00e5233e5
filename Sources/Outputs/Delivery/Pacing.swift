internal import Model
internal import Settings

/// When the next message may go: rate, digest and the pauses after errors. Times are monotonic seconds.
struct Pacing {
  private let rate: Rate?
  private let digest: TimeSpan?
  /// When the last messages went, as many as the rate counts, the oldest first.
  private var sent: [Double] = []
  private var collectingSince: Double?
  private(set) var failures = 0
  /// Messages had to wait, so that what is there comes in as few as possible.
  private(set) var isBacklogged = false

  static let pauses = (first: 1.0, longest: 300.0)
  /// A receiver's own wish is heeded up to here.
  static let longestWish = 3600.0

  init(rate: Rate?, digest: TimeSpan?) {
    self.rate = rate
    self.digest = digest
  }

  /// Seconds that a digest still collects.
  mutating func collects(at now: Double) -> Double? {
    guard let digest else { return nil }
    let since = collectingSince ?? now
    collectingSince = since
    let left = Double(digest.microseconds) / 1e6 - (now - since)
    return left > 0 ? left : nil
  }

  /// Everything that was collected is sent.
  mutating func collectionIsSent() { collectingSince = nil }

  /// How many messages may go now.
  mutating func allowance(at now: Double) -> Int {
    guard let rate else { return .max }
    sent.removeAll { now - $0 >= rate.seconds }
    return rate.count - sent.count
  }

  /// Seconds until the next message may go.
  mutating func wait(at now: Double) -> Double {
    isBacklogged = true
    guard let rate, let oldest = sent.first else { return 1 }
    return max(rate.seconds - (now - oldest), 0.001)
  }

  mutating func delivered(at now: Double) {
    failures = 0
    if rate != nil { sent.append(now) }
  }

  /// Nothing waits any more.
  mutating func caughtUp() { isBacklogged = false }

  /// Seconds until the next try: 1, 2, 4, … 300, each between half and all of it so that many servers do not come back at
  /// once; never earlier than the receiver asked for.
  mutating func refused(after wish: Double?, random: Double) -> Double {
    isBacklogged = true
    failures += 1
    let pause = min(Self.pauses.first * Double(1 << min(failures - 1, 20)), Self.pauses.longest) * (0.5 + random / 2)
    guard let wish else { return pause }
    return max(pause, min(wish, Self.longestWish) + random)
  }
}

extension Rate {
  fileprivate var seconds: Double { Double(span.microseconds) / 1e6 }
}
