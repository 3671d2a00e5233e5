internal import Model

/// How often a pattern was stopped at its limit of late. What stops one costs a thousand times what a line may cost, so a
/// client could keep the machine busy with such lines. After ten of them the pattern is not tried on long lines for a while;
/// on short ones, which can cost little, always. It recovers with the lines that are read and with time: one for each
/// thousand lines, and ten for each minute.
struct StoppedLately {
  /// Lines up to this length are always tried.
  static let shortest = 1024
  private static let most = 10
  private static let linesForOne = 1000

  private var debt = 0
  private var lines: Int
  private var time: Instant

  init(_ lines: Int, _ now: Instant) {
    self.lines = lines
    time = now
  }

  mutating func add(_ lines: Int, _ now: Instant) {
    debt = min(debt(lines, now) + 1, 2 * Self.most)
    self.lines = lines
    time = now
  }

  func mayTry(_ lines: Int, _ now: Instant) -> Bool { debt(lines, now) < Self.most }

  private func debt(_ lines: Int, _ now: Instant) -> Int {
    let minutes = now > time ? Int(clamping: now.since(time).microseconds / TimeSpan.minutes(1).microseconds) : 0
    return max(0, debt - (lines - self.lines) / Self.linesForOne - min(minutes, 10) * Self.most)
  }
}

/// The patterns of a set that were stopped at their limit, by their place among all.
struct StoppedPatterns {
  private var stopped: [Int: StoppedLately] = [:]

  /// `lines`: how many candidates there were until now.
  mutating func add(_ slot: Int, _ lines: Int, _ now: Instant) {
    var lately = stopped[slot] ?? StoppedLately(lines, now)
    lately.add(lines, now)
    stopped[slot] = lately
  }

  /// May a pattern that was stopped too often of late work on a line of this length?
  func mayTry(_ slot: Int, _ length: Int, _ lines: Int, _ now: Instant) -> Bool {
    guard !stopped.isEmpty, length > StoppedLately.shortest, let lately = stopped[slot] else { return true }
    return lately.mayTry(lines, now)
  }

  /// Those of `wanted` that may work on a line of this length.
  func affordable(_ wanted: PatternBits, _ length: Int, _ lines: Int, _ now: Instant) -> PatternBits {
    guard !stopped.isEmpty, length > StoppedLately.shortest else { return wanted }
    var affordable = wanted
    for slot in stopped.keys where !mayTry(slot, length, lines, now) { affordable.remove(slot) }
    return affordable
  }
}
