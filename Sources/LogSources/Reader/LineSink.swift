public import Model

/// What a reader of logs hands its lines to. Everything is called on the reader's thread, one call at a time, so a sink
/// needs no lock; a call that blocks stops all reading, and files and journal wait.
///
/// ```swift
/// let reader = try LogReader(sources: [.files(["/var/log/auth.log"])], positions: stored)
/// try reader.run(sink)  // until reader.stop() from another thread
/// ```
public protocol LineSink: AnyObject {
  /// A source has joined, or (after a reload) represents other specs than before. Comes before its first line.
  func begin(_ source: SourceInfo)

  /// Whole lines of one file, back to back, each ended by LF, also one that was cut at 64 KiB (`LineLimit.bytes`). A CR
  /// before the LF is left in.
  func consume(lines: borrowing Span<UInt8>, of origin: LineOrigin, from source: Int)

  /// One journal entry; `message` is its MESSAGE, which may hold any byte, LF too, and is cut at 64 KiB.
  func consume(message: borrowing Span<UInt8>, of entry: JournalEntry, from source: Int)

  /// Everything delivered so far is dealt with when the sources are read up to `positions` (only those that moved; all
  /// of one call belong into one transaction). Comes after every 256 KiB at the latest and after every turn of reading.
  func checkpoint(_ positions: [SourcePosition])

  /// Something that an operator should hear of: a source that cannot be read, lines that may be lost.
  func report(_ event: SourceEvent)

  /// When a line says that it was written; nil where it does not. Asked to find where to look back to.
  func time(of line: borrowing Span<UInt8>, in source: Int) -> Instant?
}

extension LineSink {
  public func time(of line: borrowing Span<UInt8>, in source: Int) -> Instant? { nil }
}

/// How long a line may be.
public enum LineLimit {
  /// What is longer is cut here; the rest is dropped and counted.
  public static let bytes = 64 << 10
}

/// A source as lines are numbered by it. A file keeps its number while the reader lives, through rotations too: lines of
/// `auth.log` that were renamed to `auth.log.1` before they were read still come from `auth.log`.
public struct SourceInfo: Hashable, Sendable {
  public enum Kind: String, Sendable {
    case file, journal
    case standardInput = "standard input"
  }

  /// The number that `LineSink.consume` names it by: 0, 1, 2 … in the order in which sources join.
  public var number: Int
  public var kind: Kind
  /// The path of a file; `journal` with its matches; `-` for standard input.
  public var name: String
  /// Indices into the list of `SourceSpec`s given to the reader: a file that several specs name is read once.
  public var specs: [Int]

  public init(number: Int, kind: Kind, name: String, specs: [Int]) {
    self.number = number
    self.kind = kind
    self.name = name
    self.specs = specs
  }
}
