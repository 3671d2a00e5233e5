public import Model

/// Knows which lines tell of an attempt that has counted already.
///
/// sshd writes "Invalid user x from A port P", then "Failed password for invalid user x from A port P", then "Connection
/// closed by invalid user x A port P": one guess, three lines. Filters say which lines begin, stand for, or end an attempt
/// (`AttemptPart`); address and port name the connection.
///
/// A table of a fixed size: a connection whose place another one took is counted once more, never once less. It is made when
/// the first line asks for it.
public struct AttemptTable: Sendable {
  /// sshd's LoginGraceTime is two minutes; a port that is used again later is another connection.
  private static let longest = TimeSpan.minutes(10)
  private static let size = 8192

  private struct Connection: Sendable {
    var address = Address(bits: 0)
    var time = Int64.min
    var port: UInt16 = 0
    var jail: UInt16 = 0
    /// Has the attempt at hand counted by the line that began it?
    var hasBegun = false
  }

  private var connections: [Connection] = []

  public init() {}

  /// Does this line only repeat what has counted? A line that does not is remembered.
  public mutating func isCounted(_ failure: Failure) -> Bool {
    guard failure.attempt != .alone, failure.port != 0, failure.weight > 0 else { return false }
    if connections.isEmpty { connections = [Connection](repeating: Connection(), count: Self.size) }
    let place = Self.place(failure)
    let known = connections[place]
    let isSame =
      known.port == failure.port && known.address == failure.address && known.jail == failure.jail
      && abs(failure.time.since(Instant(microseconds: known.time))) <= Self.longest
    let isCounted =
      switch failure.attempt {
      case .alone: false
      case .whole, .begins: isSame && known.hasBegun && failure.count == 1
      case .ends: isSame
      }
    connections[place] = Connection(
      address: failure.address, time: failure.time.microseconds, port: failure.port, jail: failure.jail,
      hasBegun: failure.attempt == .begins)
    return isCounted
  }

  private func abs(_ span: TimeSpan) -> TimeSpan {
    span < .zero ? TimeSpan(microseconds: span.microseconds == .min ? .max : -span.microseconds) : span
  }

  private static func place(_ failure: Failure) -> Int {
    let bits = failure.address.bits
    var hash = UInt64(truncatingIfNeeded: bits) ^ UInt64(truncatingIfNeeded: bits >> 64)
    hash = (hash ^ UInt64(failure.port) << 32 ^ UInt64(failure.jail)) &* 0x9E37_79B9_7F4A_7C15
    return Int(hash >> 51) & (size - 1)
  }
}
