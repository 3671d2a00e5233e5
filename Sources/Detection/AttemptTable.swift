public import Model

/// Knows which lines tell of an attempt that has counted already.
///
/// sshd writes "Invalid user x from A port P", then "Failed password for invalid user x from A port P", then "Connection
/// closed by invalid user x A port P": one guess, three lines. Filters say which lines begin, represent, or end an attempt
/// (`AttemptPart`); the address and `Failure.connection` (port, pid) name the connection. `together` is for lines that are one
/// act without a connection, as a page's images are.
///
/// A table of a fixed size: a connection whose place another one took is counted once more, never once less. It is made when
/// the first line asks for it.
public struct AttemptTable: Sendable {
  /// sshd's LoginGraceTime is two minutes; a port that is used again later is another connection.
  private static let longest = TimeSpan.minutes(10)
  private static let size = 8192

  /// 16 bytes, so that the table stays in the processor's cache.
  private struct Connection: Sendable {
    /// A keyed hash of jail, address and connection: who does not know the key cannot make two connections that are taken for one.
    var tag: UInt64 = 0
    /// Microseconds, but for the lowest bit: has the attempt at hand counted by the line that began it?
    var time = Int64.min

    var hasBegun: Bool { time & 1 != 0 }
  }

  private var connections: [Connection] = []
  private let hash: KeyHash

  /// `seed` is the key of the tags; no answer depends on it.
  public init(seed: (UInt64, UInt64) = (.random(in: .min ... .max), .random(in: .min ... .max))) {
    hash = KeyHash(seed: seed)
  }

  /// Does this line only repeat what has counted? A line that does not is remembered.
  public mutating func isCounted(_ failure: Failure) -> Bool {
    guard failure.attempt != .alone, failure.connection != 0, failure.weight > 0 else { return false }
    if connections.isEmpty { connections = [Connection](repeating: Connection(), count: Self.size) }
    let tag = tag(failure)
    let place = Self.place(failure)
    let known = connections[place]
    let longest = failure.attempt == .together ? TimeSpan.seconds(Int64(failure.actLength)) : Self.longest
    let isSame = known.tag == tag && abs(failure.time.since(Instant(microseconds: known.time))) <= longest
    let isCounted =
      switch failure.attempt {
      case .alone: false
      case .whole, .begins: isSame && known.hasBegun && failure.count == 1
      case .ends, .together: isSame
      }
    // An act's time begins with its first line: who goes on counts again.
    if isCounted, failure.attempt == .together { return true }
    connections[place] = Connection(
      tag: tag, time: failure.time.microseconds & ~1 | (failure.attempt == .begins ? 1 : 0))
    return isCounted
  }

  private func abs(_ span: TimeSpan) -> TimeSpan {
    span < .zero ? TimeSpan(microseconds: span.microseconds == .min ? .max : -span.microseconds) : span
  }

  /// The same in every run, so that a replay counts what it counted before: which connection takes another one's place does
  /// not depend on the key.
  private static func place(_ failure: Failure) -> Int {
    let bits = failure.address.bits
    var hash = UInt64(truncatingIfNeeded: bits) ^ UInt64(truncatingIfNeeded: bits >> 64)
    hash = (hash ^ failure.connection << 32 ^ failure.connection >> 32 ^ UInt64(failure.jail)) &* 0x9E37_79B9_7F4A_7C15
    return Int(hash >> 51) & (size - 1)
  }

  private func tag(_ failure: Failure) -> UInt64 {
    let connection = UInt128(failure.connection) << 16 | UInt128(failure.jail)
    return hash.of(UInt128(hash.of(failure.address.bits)) << 64 ^ connection)
  }
}
