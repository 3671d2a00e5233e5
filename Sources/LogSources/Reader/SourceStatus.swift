public import Model

/// A source as `bailiff status` shows it.
public struct SourceStatus: Hashable, Sendable {
  public enum State: Hashable, Sendable {
    case reading
    /// Not there (yet); looked for again all the time.
    case waiting(String)
    /// There, but it cannot be read: what the system says, with the remedy. Tried again all the time.
    case failed(String)
    /// Standard input has ended.
    case ended
  }

  public var info: SourceInfo
  public var state: State
  /// Lines (journal entries) read since the reader started.
  public var lines: UInt64 = 0
  public var bytes: UInt64 = 0
  /// Lines over `LineLimit.bytes`; counted in `lines` too.
  public var tooLong: UInt64 = 0
  /// How often the file was replaced by a new one, and how often it was truncated in place.
  public var rotations: UInt64 = 0
  public var truncations: UInt64 = 0
  /// How often lines were lost or may have been; each was reported to the sink.
  public var losses: UInt64 = 0
  public var position: Position?
  /// Bytes that are in the file but not read yet, as of the last look; 0 for the journal.
  public var lag: UInt64 = 0

  public init(info: SourceInfo, state: State) {
    self.info = info
    self.state = state
  }
}
