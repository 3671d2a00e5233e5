public import Metrics
public import Model

/// How long a line's way takes, and what each pattern finds. Counted by the decider's thread, batch by batch.
public struct PipelineMetrics: Sendable {
  /// From reading a line that matches until it is judged.
  public internal(set) var lineToDecision = Histogram()
  /// From a decision until the kernel has it.
  public internal(set) var decisionToKernel = Histogram()
  public internal(set) var lineToKernel = Histogram()
  /// In the order of the plan's patterns.
  private var patterns: [(name: PatternName, failures: UInt64)]

  init(patterns: [PatternName]) { self.patterns = patterns.map { ($0, 0) } }

  /// Failures by pattern; those of jails that share a filter together.
  public var failures: [PatternName: UInt64] {
    patterns.reduce(into: [:]) { $0[$1.name, default: 0] += $1.failures }
  }

  mutating func count(_ failures: [Failure]) {
    for failure in failures where Int(failure.pattern) < patterns.count { patterns[Int(failure.pattern)].failures += 1 }
  }

  /// What was counted of patterns that go on is kept.
  mutating func reload(patterns new: [PatternName]) {
    var old = failures
    patterns = new.map { name in (name, old.removeValue(forKey: name) ?? 0) }
  }
}
