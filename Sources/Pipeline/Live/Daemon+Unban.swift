internal import Detection
public import Model
internal import System

/// What `unban` did for one id.
public struct Unbanned: Sendable {
  public var id: Identity
  /// What was lifted, with the jail: the id, the block that a jail counts it by, and what is within it.
  public var lifted: [(jail: String, identity: Identity)] = []
  /// Wider bans that go on covering it.
  public var covering: [(jail: String, identity: Identity)] = []
}

extension Daemon {
  /// Lifts the bans of ids, in one jail or in all. An address lifts the block that a jail counts it by; a block everything
  /// within it, or with `isExact` itself alone.
  public func unban(
    _ ids: [Identity], jail: String?, isExact: Bool = false, uid: UInt32, command: String
  ) async throws -> [Unbanned] {
    let only = try await jail.asyncMap { try await number(of: $0) }
    let order = UnbanOrder(ids: ids, jail: only, isExact: isExact, cause: .operator(uid: uid, command: command))
    return await ask { .unban(order, $0) }
  }

  /// Lifts every ban of one jail, or of all; returns how many there were, by jail.
  public func unbanAll(jail: String?, uid: UInt32, command: String) async throws -> [String: Int] {
    let only = try await jail.asyncMap { try await number(of: $0) }
    return await ask { .unbanAll(jail: only, .operator(uid: uid, command: command), $0) }
  }
}

struct UnbanOrder: Sendable {
  var ids: [Identity]
  /// Nil: all jails.
  var jail: Int?
  var isExact: Bool
  var cause: Decision.Cause
}

extension DecisionThread {
  func unban(_ order: UnbanOrder) -> [Unbanned] {
    let now = SystemClock.now()
    var results = order.ids.map { Unbanned(id: $0) }
    var decisions: [Decision] = []
    for jail in plan.jailNames.indices where order.jail == nil || order.jail == jail {
      let held = HeldBlocks(detector.decider, jail)
      for (index, id) in order.ids.enumerated() {
        for candidate in held.lifted(by: id, isExact: order.isExact) {
          guard let decision = detector.decider.unban(candidate, jail: jail, at: now, cause: order.cause) else {
            continue
          }
          decisions.append(decision)
          results[index].lifted.append((decision.jail, decision.identity))
        }
        results[index].covering += held.covering(id).map { (plan.jailNames[jail], $0) }
      }
    }
    unconfirmed.removeAll { waiting in decisions.contains { $0.identity == waiting.identity } }
    if !decisions.isEmpty { carryOut(decisions) }
    return results
  }

  func unbanAll(_ only: Int?, _ cause: Decision.Cause) -> [String: Int] {
    let now = SystemClock.now()
    var lifted: [String: Int] = [:]
    var decisions: [Decision] = []
    for number in plan.jailNames.indices where only == nil || only == number {
      for ban in detector.decider.bans(in: number) {
        guard let decision = detector.decider.unban(ban.identity, jail: number, at: now, cause: cause) else { continue }
        decisions.append(decision)
        lifted[decision.jail, default: 0] += 1
      }
    }
    unconfirmed.removeAll()
    if !decisions.isEmpty { carryOut(decisions) }
    return lifted
  }
}

/// The bans of a jail as blocks, looked through once for all ids of a request.
private struct HeldBlocks {
  private let decider: Decider
  private let jail: Int
  private let blocks: [Subnet]
  /// Those that are wider than what the jail counts an address by.
  private let wide: [Subnet]

  init(_ decider: Decider, _ jail: Int) {
    self.decider = decider
    self.jail = jail
    blocks = decider.bans(in: jail).compactMap(\.identity.subnet)
    let limits = decider.jails[jail]
    wide = blocks.filter { $0.prefixLength < ($0.isIPv4 ? limits.ipv4Prefix : limits.ipv6Prefix) }
  }

  func lifted(by id: Identity, isExact: Bool) -> [Identity] {
    guard let block = id.subnet else { return [id] }
    guard !block.isSingleAddress else {
      let counted = decider.identity(of: block.base, in: jail)
      return counted == id ? [id] : [id, counted]
    }
    return isExact ? [id] : blocks.filter { Self.holds(block, $0) }.map { .network($0) }
  }

  func covering(_ id: Identity) -> [Identity] {
    guard let block = id.subnet else { return [] }
    return wide.filter { $0 != block && Self.holds($0, block) }.map { .network($0) }
  }

  /// An IPv6 block holds no IPv4 address for the kernel, though in 128 bits it may.
  private static func holds(_ outer: Subnet, _ inner: Subnet) -> Bool {
    outer.isIPv4 == inner.isIPv4 && outer.contains(inner)
  }
}
