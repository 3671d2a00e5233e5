public import Model

/// Where lines that are lent at once come from, and when. Good during `LineSink.consume(lines:of:from:)`.
public struct LineOrigin {
  /// Were they written a moment ago? Then they are about now, whatever their stamps say. Else they were there when the
  /// reader came to them: at a start, or after it had to wait.
  public let isLive: Bool
  /// Did the run before a restart read them? Then they are lent again for what filters must know of earlier lines
  /// (`SourceSpec.lookBack`).
  public let isPast: Bool
  /// What was written since the source was read to its end is live unless that is longer ago (seconds).
  static let mostDelay = 60.0
  /// Of the first byte, in the source.
  private let start: UInt64
  /// The bytes that follow, up to `LineCutter.ahead`, which are lent again; nil at what is the end for now.
  public let ahead: [UInt8]?
  /// Where the lines were taken out of a container's envelope.
  private let records: RecordDecoder?

  public init(start: UInt64, isLive: Bool, isPast: Bool = false, ahead: [UInt8]? = nil) {
    self.start = start
    self.ahead = ahead
    self.isLive = isLive
    self.isPast = isPast
    records = nil
  }

  init(_ records: RecordDecoder, isLive: Bool, isPast: Bool) {
    start = 0
    ahead = nil
    self.isLive = isLive
    self.isPast = isPast
    self.records = records
  }

  /// Were they taken out of a container's envelope? Then they are one program's, and often have no header.
  public var isPayload: Bool { records != nil }

  /// Where the line is in the source that begins `at` bytes after the first of those that were lent.
  public func offset(of at: Int) -> UInt64 { records?.offset(of: at) ?? start + UInt64(at) }

  /// When the container's runtime received that line, by this machine's clock; nil where there is none.
  public func time(of at: Int) -> Instant? { records?.time(of: at) }
}
