import Glibc
public import Model
import Synchronization

/// Bans in a table of nf_tables, `inet bailiff` (`TableLayout`), written in the kernel's own messages.
///
/// Where the kernel knows how (6.9), the table is owned by this actuator's socket and persists: nobody else's `nft flush
/// ruleset` empties it, and after the end of the program it stays, without an owner, until the next one takes it over.
/// Elsewhere it is a table like any other, and what is taken away is put back.
///
/// Needs CAP_NET_ADMIN, and nothing else: no program is run.
public final class NFTablesActuator: Actuator {
  let maxElements: UInt32
  /// A jail of more bans than this is not listed, since the kernel takes the square of a set's size for it: with two million entries
  /// minutes, for which decisions would wait. What it holds is known by what was done to it, and the table's number tells whether it
  /// is still the one.
  let mostListed: Int
  let faults: FaultInjector?
  let core: Mutex<Core>
  let closer = ConnectionCloser()

  struct State: Sendable {
    var plan = FirewallPlan([])
    var targets: [String: FirewallTarget] = [:]
    /// The sets that each jail has.
    var widths: [String: Set<TableLayout.Width>] = [:]
    /// The table as it was after our last change of its rules; nil: never written.
    var written: Snapshot?
    /// Does the kernel refuse tables that are owned and persist?
    var isCommon = false
    /// Jails of which a change may not have reached the kernel.
    var unsure: Set<String> = []
    /// Was there a table of ours before, with whatever it holds?
    var isTakenOver = false
    /// Were the rules written for packets whose ports may have been translated?
    var isTranslated = false
    /// Our socket's number.
    var port: UInt32?
  }

  struct Core: ~Copyable {
    var state = State()
    /// Kept open: it owns the table.
    var client: NFTablesClient?
  }

  /// What of the table tells whether somebody has changed it. The kernel gives each part a number that it never gives again.
  struct Snapshot: Equatable {
    var table: NFTablesClient.Table
    var chains: Set<NFTablesClient.Chain>
    var rules: [String: [UInt64]]
    var sets: [String: UInt64]
  }

  public convenience init() { self.init(faults: nil) }

  /// - Parameter faults: makes netlink calls fail.
  package init(
    faults: FaultInjector?, maxElements: UInt32 = IPSetActuator.defaultMaxElements, mostListed: Int = 200_000
  ) {
    self.faults = faults
    self.mostListed = mostListed
    self.maxElements = maxElements
    core = Mutex(Core())
  }

  public var backend: FirewallBackend { .nftables }

  /// The kernel takes more than 10,000 days.
  public var longestTimeout: TimeSpan { Self.longestTimeout }
  static let longestTimeout = TimeSpan.hours(24 * 10_000)

  public var watch: RulesetWatch {
    var watch = RulesetWatch()
    watch.ownPort = core.withLock { $0.state.port } ?? 0
    return watch
  }

  /// Runs `body` with the client that owns the table; a client that failed is closed, and the next call opens another.
  func withClient<Result>(
    _ body: (inout NFTablesClient, inout State) throws(FirewallError) -> Result
  ) throws(FirewallError) -> Result {
    try core.withLock { core throws(FirewallError) in
      var client: NFTablesClient
      if let kept = core.client.take() {
        client = kept
      } else {
        client = try NFTablesClient(faults: faults)
        core.state.port = client.port
        if core.state.written != nil { try Self.adopt(&client, core.state) }
      }
      do throws(FirewallError) {
        let result = try body(&client, &core.state)
        core.client = consume client
        return result
      } catch {
        // What the kernel refuses is no reason to give up the table's owner.
        if error.code != .netlink { core.client = consume client }
        throw error
      }
    }
  }

  /// Becomes the owner of the table that an earlier socket has left.
  private static func adopt(_ client: inout NFTablesClient, _ state: State) throws(FirewallError) {
    guard !state.isCommon else { return }
    // A child process that another thread has just forked holds the earlier socket until it executes its program.
    for _ in 0..<100 {
      guard let owner = try client.table()?.owner, owner != client.port else { break }
      usleep(10_000)
    }
    guard try client.table() != nil else { return }
    var transaction = NFTablesTransaction()
    transaction.addTable(flags: flags(state))
    try client.commit(transaction)
  }

  static func flags(_ state: State) -> UInt32 { state.isCommon ? 0 : NFTables.owner | NFTables.persist }

  // MARK: Bans

  public func apply(_ changes: [FirewallChange], now: Instant) throws(FirewallError) -> [ChangeOutcome] {
    guard !changes.isEmpty else { return [] }
    do throws(FirewallError) {
      let (outcomes, banned) = try withClient { client, state throws(FirewallError) in
        let outcomes = try apply(changes, isNew: { _ in false }, now: now, &client, &state)
        return (outcomes, ConnectionCloser.bans(changes, outcomes) { state.targets[$0] })
      }
      closer.add(banned)
      return outcomes
    } catch {
      core.withLock { $0.state.unsure.formUnion(changes.map(\.jail)) }
      throw error
    }
  }

  public func contents() throws(FirewallError) -> [KernelBan] {
    try withClient { client, state throws(FirewallError) in try contents(&client, state) }
  }

  /// - Parameter jails: nil: of all.
  func contents(
    of jails: Set<String>? = nil, _ client: inout NFTablesClient, _ state: State
  ) throws(FirewallError) -> [KernelBan] {
    var bans: [KernelBan] = []
    for (jail, widths) in state.widths where jails?.contains(jail) ?? true {
      for width in widths { try Self.read(jail, width, &client, into: &bans) }
    }
    return bans
  }

  static func read(
    _ jail: String, _ width: TableLayout.Width, _ client: inout NFTablesClient, into bans: inout [KernelBan]
  ) throws(FirewallError) {
    for (key, remaining) in try client.elements(of: TableLayout.set(jail, width)) {
      let subnet = Subnet(key, ipv4Prefix: width.prefix, ipv6Prefix: width.prefix)
      let left = remaining.map { TimeSpan(microseconds: Int64(clamping: $0.multipliedReportingOverflow(by: 1000).0)) }
      bans.append(KernelBan(jail: jail, subnet: subnet, remaining: left))
    }
  }

  public func restore(_ bans: some Sequence<Ban>, now: Instant) throws(FirewallError) -> RestoreReport {
    try withClient { client, state throws(FirewallError) in
      let isReplaced = state.isTakenOver && Self.counts(bans).contains { $0.value > mostListed }
      state.isTakenOver = false
      guard isReplaced else { return try reconcile(bans, now: now, removeOthers: true, &client, &state).report }
      // What an earlier daemon has left in such a set is not read (`mostListed`): packets see the old table, then the new one.
      var report = RestoreReport()
      try write(&state, isReplaced: true, wanted: { Self.held(bans, now) }, &client)
      for ban in bans {
        if Self.isHeld(ban, now), state.targets[ban.jail] != nil { report.added += 1 } else { report.skipped += 1 }
      }
      return report
    }
  }

  /// Compares `bans` with what the sets hold, and sends the difference.
  func reconcile(
    _ bans: some Sequence<Ban>, of jails: Set<String>? = nil, now: Instant, removeOthers: Bool,
    _ client: inout NFTablesClient, _ state: inout State
  ) throws(FirewallError) -> BanDifference {
    var difference = BanDifference(
      held: try contents(of: jails, &client, state), jails: Set(state.targets.keys), longest: Self.longestTimeout,
      now: now)
    try difference.close(bans, removeOthers: removeOthers) { changes, isNew throws(FirewallError) in
      try apply(changes, isNew: isNew, now: now, &client, &state)
    }
    return difference
  }

  public func packets() throws(FirewallError) -> [String: PacketCount] {
    let jails = core.withLock { $0.state.plan.bans.map(\.jail) }
    // Anybody may read.
    var client = try NFTablesClient(faults: faults)
    let counters = try client.counters()
    return Dictionary(
      jails.map { ($0, counters[TableLayout.chain($0)] ?? PacketCount()) }, uniquingKeysWith: { first, _ in first })
  }
}
