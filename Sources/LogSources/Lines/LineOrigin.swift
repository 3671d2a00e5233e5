/// Where lines that are lent at once come from, and when.
public struct LineOrigin {
  /// Were they written a moment ago? Then they are about now, whatever their stamps say. Else they were there when the
  /// reader came to them: at a start, or after it had to wait.
  public let isLive: Bool
  /// What was written since the source was read to its end is live unless that is longer ago (seconds).
  static let mostDelay = 60.0
  /// Of the first byte, in the source.
  private let start: UInt64

  public init(start: UInt64, isLive: Bool) {
    self.start = start
    self.isLive = isLive
  }

  /// Where the line is in the source that begins `at` bytes after the first of those that were lent.
  public func offset(of at: Int) -> UInt64 { start + UInt64(at) }
}
