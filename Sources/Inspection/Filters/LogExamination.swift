internal import Filters
public import Matching
internal import Pipeline

/// Whether filters understand a log at all: no failures in one that they do not is no good news.
public struct LogExamination: Sendable {
  /// What is to be said of a log that none understands; nil: one does, or there are too few lines.
  public private(set) var problem: String?

  /// Thrown to end the reading.
  private struct HasSeenEnough: Error {}

  /// Lines looked at: each takes every filter some microseconds.
  private static let most = 200

  /// Looks at the first lines of `path`.
  /// - Parameter path: as `LogLines` reads it, but for standard input, which is gone.
  public init(of path: String, by filters: [Filter]) throws {
    guard path != "-" else { return }
    let tally = Tally(filters)
    do {
      try LogLines.forEachBatch(in: path) { batch in
        for start in batch.starts {
          let end = batch.bytes[start...].firstIndex(of: 0x0a) ?? batch.bytes.endIndex
          tally.add(batch.bytes[start..<end])
          if tally.lines >= Self.most { throw HasSeenEnough() }
        }
      }
    } catch is HasSeenEnough {}
    conclude(tally, fewest: 1)
  }

  /// Looks at the last of these lines.
  public init(of lines: [[UInt8]], by filters: [Filter]) {
    let tally = Tally(filters)
    for line in lines.suffix(Self.most) { tally.add(line[...]) }
    conclude(tally, fewest: SourceUnderstanding.fewest)
  }

  private mutating func conclude(_ tally: Tally, fewest: Int) {
    guard !tally.understandings.contains(where: \.isUnderstood) else { return }
    let name = tally.filters.count == 1 ? tally.filters[0].definition.name : nil
    problem = tally.understandings.lazy.compactMap { $0.problem(of: name, fewest: fewest) }.first
  }

  private final class Tally {
    let filters: [Filter]
    var understandings: [SourceUnderstanding]
    private(set) var lines = 0

    init(_ filters: [Filter]) {
      self.filters = filters
      understandings = filters.map { _ in SourceUnderstanding() }
    }

    func add(_ line: ArraySlice<UInt8>) {
      lines += 1
      for index in filters.indices where !understandings[index].isDecided {
        understandings[index].add(line.span, filters[index])
      }
    }
  }
}
