public import Model

/// So many new TCP connections at most: what exceeds the limit is dropped by the kernel, and logged.
///
/// It counts what is addressed to this machine, published ports of containers included; connections that containers or
/// other networks make through it are not its business, nor is the loopback interface.
public struct SynLimit: Hashable, Sendable {
  public enum Unit: Int, Hashable, Sendable {
    case second = 1
    case minute = 60
    case hour = 3600
  }

  /// Whose connections are counted together.
  public enum Scope: String, Hashable, Sendable, CaseIterable {
    /// Those of one IPv4 address, or of one /64 of IPv6.
    case address
    /// Everybody's.
    case all
  }

  public var rate: Int
  public var unit: Unit
  /// So many at once, before the rate counts.
  public var burst: Int
  public var scope: Scope
  /// What begins the kernel's log of what is dropped (at most ten lines a second); nil: nothing is logged.
  public var logPrefix: String?
  /// Who is not limited.
  public var spared: [Subnet]

  public init(
    rate: Int, per unit: Unit = .second, burst: Int, scope: Scope = .address, logPrefix: String? = nil,
    spared: [Subnet] = []
  ) {
    self.rate = rate
    self.unit = unit
    self.burst = burst
    self.scope = scope
    self.logPrefix = logPrefix
    self.spared = spared
  }

  /// iptables takes 29 bytes; quotes and backslashes mean something to it.
  public static func isPrefix(_ text: String) -> Bool {
    (1...29).contains(text.utf8.count)
      && text.utf8.allSatisfy { (32..<127).contains($0) && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") }
  }

  /// What both backends can count: xt_hashlimit takes no burst above 10,000 (net/netfilter/xt_hashlimit.c).
  public static let rates = 1...10_000
  public static let bursts = 1...10_000

  /// Lines of log a second, and how many at once: a flood must not fill the disk.
  static let logged = (rate: 10, burst: 50)

  /// How long the kernel remembers an address that makes no more connections, in milliseconds.
  static let memory = 120_000
}
