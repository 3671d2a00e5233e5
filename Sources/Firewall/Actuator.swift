public import Model

/// What carries decisions out. Two change the kernel: `IPSetActuator` (sets of ipset, rules of iptables) and
/// `NFTablesActuator` (a table of nf_tables); `DryRunActuator` only remembers.
///
/// ```swift
/// let firewall: any Actuator = try IPSetActuator()
/// for notice in try firewall.prepare(FirewallPlan([FirewallTarget(jail: "sshd", ports: .ranges([22...22]))])) { … }
/// try firewall.restore(storedBans, now: now)
/// let outcomes = try firewall.apply([FirewallChange(.add, jail: "sshd", subnet: Subnet("192.0.2.7")!, until: end)], now: now)
/// ```
///
/// Every call is synchronous and may be repeated: doing it again changes nothing. Calls from several threads are carried
/// out one after the other; decisions keep their order when one thread makes them. Nothing is undone on exit: the kernel
/// ends each ban by itself.
public protocol Actuator: Sendable {
  var backend: FirewallBackend { get }

  /// Makes the firewall ready for exactly this plan. What it made for jails that are no longer named is removed; bans of the
  /// others stay.
  ///
  /// A chain that does not exist (yet) or a family that cannot be filtered is a notice; when nothing can be filtered at all
  /// it throws, with the remedy.
  func prepare(_ plan: FirewallPlan) throws(FirewallError) -> [FirewallNotice]

  /// Carries out `changes` in their order; the result has an outcome for each, at the same index. Throws only when nothing
  /// can be said about any of them.
  func apply(_ changes: [FirewallChange], now: Instant) throws(FirewallError) -> [ChangeOutcome]

  /// The bans that the firewall holds now, of the jails that were prepared.
  func contents() throws(FirewallError) -> [KernelBan]

  /// Makes the firewall hold exactly `bans`: compares, and sends the difference piece by piece, additions first. Bans whose end
  /// has passed and identities that are names are skipped.
  func restore(_ bans: some Sequence<Ban>, now: Instant) throws(FirewallError) -> RestoreReport

  /// Compares what `prepare` made with what is there, and the bans with `wanted` (called when it is needed, on this thread);
  /// puts back what is missing and says what it was. Call it from the thread that calls `apply`, so that `wanted` and the
  /// kernel are compared at one point in the order of decisions. What it returns may be gone through more than once.
  func check<Wanted: Sequence<Ban>>(wanted: () -> Wanted, now: Instant) throws(FirewallError) -> FirewallCheck

  /// Is there anything for `check` to repair or to warn of, as far as can be seen without `wanted`? Reads only; any thread
  /// may ask.
  ///
  /// - Parameter thorough: look at the rules too, which may take child processes; without it only at what is cheap.
  func needsCheck(thorough: Bool) throws(FirewallError) -> Bool

  /// The packets that each jail's bans have refused.
  func packets() throws(FirewallError) -> [String: PacketCount]

  /// What of ours is in the kernel, whoever of us made it. It may be called without `prepare`.
  func inventory() throws(FirewallError) -> [FirewallObject]

  /// Removes everything of ours, bans too: tables, chains, jumps, sets. It may be called without `prepare`.
  func clear() throws(FirewallError)

  /// Which changes of nf_tables' ruleset matter.
  var watch: RulesetWatch { get }

  /// The longest timeout that an entry can have.
  var longestTimeout: TimeSpan { get }
}

extension Actuator {
  /// False where bans are only remembered.
  public var changesKernel: Bool { backend != .dryRun }

  public func needsCheck() throws(FirewallError) -> Bool { try needsCheck(thorough: true) }

  /// The changes that keep bans alive which last longer than an entry's timeout can. Send them at least once a week.
  public func renewals(of bans: some Sequence<Ban>, now: Instant) -> [FirewallChange] {
    bans.compactMap { ban in
      guard let until = ban.until, let subnet = ban.identity.subnet, until > now,
        until.since(ban.since) > longestTimeout
      else { return nil }
      return FirewallChange(.add, jail: ban.jail, subnet: subnet, until: until)
    }
  }
}

/// What a listener to nf_tables' notifications looks for.
public struct RulesetWatch: Sendable, Equatable {
  /// Chains of iptables' tables: ours and those that jump to it.
  public var chains: Set<String> = []
  /// Our table's changes matter, unless the socket of this number made them.
  public var ownPort: UInt32?

  public init() {}
}
