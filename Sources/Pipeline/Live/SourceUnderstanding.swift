public import Matching
internal import Model
internal import System

/// What a filter makes of the lines of one source: a log of which it understands nothing is not the one that is meant.
public struct SourceUnderstanding: Sendable {
  /// So many lines in which the filter's form is missed are enough; of another program's it takes more, since many may write
  /// one log.
  public static let fewest = 10
  public static let most = 10_000

  /// Lines looked at, until one was understood.
  public private(set) var seen = 0
  /// Lines without the header, or not in the format, that the filter reads.
  private var foreign = 0
  public private(set) var isUnderstood = false
  /// The filter takes any text: nothing can be told.
  public private(set) var isUnknowable = false
  private var first: [UInt8] = []
  private var cause: LineUnderstanding?

  public init() {}

  /// Has none of its lines the form that the filter reads?
  public var isForeign: Bool { seen > 0 && foreign == seen }

  public var isDecided: Bool { isUnderstood || isUnknowable }

  /// - Parameter isPayload: was the line taken out of a container's envelope?
  public mutating func add(_ line: borrowing Span<UInt8>, _ filter: Filter, isPayload: Bool = false) {
    let found = filter.understanding(of: line)
    switch found {
    case .understood: isUnderstood = true
    case .unknowable: isUnknowable = true
    case .noHeader where isPayload: isUnknowable = true
    case .otherProgram: note(line, found)
    case .noHeader, .otherFormat:
      foreign += 1
      note(line, found)
    }
  }

  private mutating func note(_ line: borrowing Span<UInt8>, _ found: LineUnderstanding) {
    seen += 1
    guard cause == nil else { return }
    cause = found
    first = (0..<min(line.count, 120)).map { line[$0] }
  }

  /// What is to be said of it; nil: it is understood, or too little was seen.
  /// - Parameters:
  ///   - filter: its name; nil: all filters.
  ///   - fewest: so many lines in which the filter's form is missed are enough.
  public func problem(of filter: String?, fewest: Int = fewest) -> String? {
    guard !isDecided, let cause, seen >= Self.most || isForeign && seen >= fewest else { return nil }
    let what: String
    if let filter {
      what =
        switch cause {
        case .otherFormat where isForeign: "none is in the format that filter \(filter) reads"
        case .noHeader where isForeign: "none says which program wrote it, as filter \(filter) needs"
        default: "none is of the program that filter \(filter) knows"
        }
    } else {
      what = "no filter understands any of them"
    }
    let lines = seen >= Self.most ? "\(Self.most) or more lines" : counted(seen, "line")
    return
      "\(lines) \(seen == 1 ? "was" : "were") read, and \(what); the first: `\(printable(String(decoding: first, as: UTF8.self)))`"
  }
}
