/// What fail2ban's messages are made of (Python's pickle).
public indirect enum PickleValue: Hashable, Sendable {
  case none
  case bool(Bool)
  case int(Int)
  case float(Double)
  case text(String)
  case list([PickleValue])
  // Below: in answers only.
  case tuple([PickleValue])
  /// Keys are texts, in their order.
  case dictionary([Member])
  /// An object of a class of Python's or fail2ban's, made from its arguments.
  case object(module: String, name: String, [PickleValue])

  public struct Member: Hashable, Sendable {
    public var key: String
    public var value: PickleValue

    public init(_ key: String, _ value: PickleValue) {
      self.key = key
      self.value = value
    }
  }
}
