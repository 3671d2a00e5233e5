public import Model

/// When so many ids of a block are banned, the block is: `after` different ids whose last bans lie within `within`.
public struct Escalation: Sendable, Equatable {
  /// How many leading bits make a block; fewer than make an id.
  public var ipv4Prefix: UInt8
  public var ipv6Prefix: UInt8
  /// At least 2.
  public var after: Int
  public var within: TimeSpan

  public init(ipv4Prefix: UInt8 = 24, ipv6Prefix: UInt8 = 48, after: Int = 5, within: TimeSpan = .hours(24)) {
    self.ipv4Prefix = ipv4Prefix
    self.ipv6Prefix = ipv6Prefix
    self.after = after
    self.within = within
  }

  /// The block of an id; nil where it has none that is wider than itself, or one that is strangers' (6to4, NAT64, Teredo).
  func block(of id: Subnet) -> Subnet? {
    let block = Subnet(id.base, ipv4Prefix: ipv4Prefix, ipv6Prefix: ipv6Prefix)
    return block.length < id.length && !id.base.sharesPrefixWithStrangers ? block : nil
  }
}

/// The ids of each block that were banned, and when last.
///
/// It is a function of the bans in the store since the newest one less `within`, so that a restart fills it exactly
/// (`Decider.restoreEscalation`).
struct EscalationTable: Sendable {
  private var blocks: [Subnet: [UInt128: Instant]] = [:]

  /// Returns how many ids of `block` were banned within `within` before `time`, with this one.
  mutating func add(_ id: UInt128, of block: Subnet, at time: Instant, within: TimeSpan) -> Int {
    blocks[block, default: [:]][id] = time
    return blocks[block]!.values.count { time.since($0) < within }
  }

  mutating func forget(_ id: UInt128, of block: Subnet) {
    blocks[block]?[id] = nil
    if blocks[block]?.isEmpty == true { blocks[block] = nil }
  }

  mutating func forget(_ block: Subnet) { blocks[block] = nil }

  mutating func shrink(at time: Instant, within: TimeSpan) {
    blocks = blocks.compactMapValues { ids in
      let kept = ids.filter { time.since($0.value) < within }
      return kept.isEmpty ? nil : kept
    }
  }
}
