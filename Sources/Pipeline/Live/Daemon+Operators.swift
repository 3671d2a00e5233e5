internal import AuditLog
internal import Detection
internal import Firewall
internal import Glibc
internal import LockoutGuard
public import Model
internal import Settings
internal import Synchronization
internal import System

/// What operators ask of a running daemon; each runs on the decider's thread, between two batches.
extension Daemon {
  public func bans(jail: String?) async throws -> [Ban] {
    if let jail { _ = try await number(of: jail) }
    // The decider only copies: half a million take a second to sort.
    let all = await ask { .bans($0) }
    // One that is over may not have been taken away yet.
    let now = SystemClock.now()
    return all.filter { ban in (jail == nil || ban.jail == jail) && ban.until.map { $0 > now } ?? true }.sorted {
      ($0.since, $0.jail) < ($1.since, $1.jail)
    }
  }

  /// Bans `identity` in a jail (or on all ports) for `bantime` (negative: permanent), or as long as the jail's bans last;
  /// `confirm` lifts it again after that time unless `confirm(_:)` is called.
  public func ban(
    _ identity: Identity, jail: String?, for bantime: TimeSpan?, force: Bool, confirm: TimeSpan?, uid: UInt32,
    command: String, session: Address?
  ) async throws -> (ban: Ban, confirmBy: Instant?) {
    guard case .network(let subnet) = identity else {
      throw DaemonError(
        "\(identity) is no address", remedy: "give an address or a block such as 192.0.2.0/24", isUsage: true)
    }
    guard subnet.prefixLength > 0 else {
      throw DaemonError(
        "\(subnet) is every address, which no firewall bans", remedy: "give a block such as 192.0.2.0/24", isUsage: true
      )
    }
    let number = try await number(of: jail ?? Plan.operatorJail)
    if !force { try await requireNoObjection(to: subnet, jail: number, session: session) }
    let order = BanOrder(
      identity: identity, jail: number, bantime: bantime, confirm: confirm,
      cause: .operator(uid: uid, command: command))
    return await ask { .ban(order, $0) }
  }

  /// What speaks against a person's ban; `--force` passes.
  private func requireNoObjection(to subnet: Subnet, jail: Int, session: Address?) async throws {
    if let objection = Protected.collect(caller: session).objections(to: subnet).first {
      throw DaemonError("\(objection)", remedy: "give --force if that is meant")
    }
    let ignored = await ask { .spared(subnet, jail: jail, $0) }
    if let ignored {
      throw DaemonError(
        ignored.contains(subnet)
          ? "\(subnet) is spared by `ignoreip` (\(ignored))" : "\(subnet) holds \(ignored), which `ignoreip` spares",
        remedy: "give --force if that is meant")
    }
  }

  /// Keeps a ban that was made with `confirm`; nil when none waits.
  public func confirm(_ identity: Identity, uid: UInt32) async -> Ban? {
    await ask { .confirm(identity, uid: uid, $0) }
  }

  /// Writes down in the audit what a person did.
  public func note(_ command: String, uid: UInt32) { writer.event(.command, uid: uid, command: command) }

  /// As of the last batch: who asks waits for nobody.
  public var jailReports: [JailReport] { loop.figures.withLock { $0.jails } }

  public var metrics: PipelineMetrics { loop.metrics.withLock { $0 } }

  public struct Health: Sendable {
    public var storePath: String
    public var storeProblem: String?
    /// Why the store is larger than `retention.size`.
    public var sizeProblem: String?
    public var shed: Int
    public var committed: Int
    public var firewallProblem: String?
    public var repairs: Int
    public var changesKernel: Bool
    /// `ipset`, `nftables` or `dry-run`.
    public var backend: String
    /// Why it is that one.
    public var backendReason: String
    public var chains: [String]
  }

  public var health: Health {
    let figures = loop.figures.withLock { $0 }
    let store = writer.health
    return Health(
      storePath: writer.path, storeProblem: store.problem, sizeProblem: store.sizeProblem, shed: store.shed,
      committed: store.committed,
      firewallProblem: figures.firewallProblem, repairs: figures.repairs, changesKernel: firewall.changesKernel,
      backend: firewall.backend.rawValue, backendReason: choice.withLock { $0.reason }, chains: hooks)
  }

  /// Where packets meet the bans: chains of iptables, or hooks of nf_tables.
  private var hooks: [String] {
    let plan = current.withLock { $0 }.firewallPlan
    switch firewall.backend {
    case .ipset, .dryRun:
      return plan.chains ?? (plan.paths.contains(.host) ? ["INPUT"] : [])
        + (plan.paths.contains(.containers) ? ["DOCKER-USER or FORWARD"] : [])
    case .nftables: return plan.hooks
    }
  }

  func number(of jail: String) async throws -> Int {
    let names = current.withLock { $0.jailNames }
    guard let number = names.firstIndex(of: jail) else {
      throw DaemonError(
        "there is no jail `\(jail)`", remedy: "jails are: \(names.joined(separator: ", "))", isUsage: true)
    }
    return number
  }
}

struct BanOrder: Sendable {
  var identity: Identity
  var jail: Int
  /// Nil: as long as the jail's bans last; negative: permanent.
  var bantime: TimeSpan?
  var confirm: TimeSpan?
  var cause: Decision.Cause
}

extension DecisionThread {
  func ban(_ order: BanOrder) -> (ban: Ban, confirmBy: Instant?) {
    let now = SystemClock.now()
    // A person's answer is true: what others have just taken away is put back before it is given.
    if (try? firewall.needsCheck()) ?? true { repair(now) }
    let length = order.bantime ?? detector.decider.jails[order.jail].bantime
    let decision = detector.decider.ban(
      order.identity, jail: order.jail, from: now, until: length.flatMap { $0 < .zero ? nil : now.adding($0) },
      cause: order.cause)
    carryOut([decision])
    unconfirmed.removeAll { $0.identity == order.identity && $0.jail == order.jail }
    let deadline = order.confirm.map { now.adding($0) }
    if let deadline { unconfirmed.append(.init(identity: order.identity, jail: order.jail, deadline: deadline)) }
    var ban = detector.decider.ban(of: order.identity, in: order.jail)!
    if isNotEnforcing { ban.applied = false }
    return (ban, deadline)
  }

  func confirm(_ identity: Identity, uid: UInt32) -> Ban? {
    guard let waiting = unconfirmed.first(where: { $0.identity == identity }) else { return nil }
    unconfirmed.removeAll { $0.identity == identity }
    writer.event(.command, subject: identity.description, uid: uid, command: "confirm \(identity)")
    return detector.decider.ban(of: identity, in: waiting.jail)
  }
}

extension Optional {
  func asyncMap<Result>(_ body: (Wrapped) async throws -> Result) async rethrows -> Result? {
    guard let self else { return nil }
    return try await body(self)
  }
}
