/// So many within so long.
public struct Rate: Sendable, Equatable {
  public var count: Int
  public var span: TimeSpan

  public init(count: Int, span: TimeSpan) {
    self.count = count
    self.span = span
  }
}
