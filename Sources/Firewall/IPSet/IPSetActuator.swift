import Glibc
public import Model
import Synchronization
import System

/// Bans in the kernel: for each jail and family a set (`hash:net`, with timeouts), and rules of our own chain that drop what
/// comes from it.
///
/// `hash:net` holds addresses and blocks alike; adding 100,000 addresses takes as long as with `hash:ip` (measured), and
/// IPv6 is banned by prefix. The chain `BAILIFF` is ours, in the filter tables of iptables and ip6tables; INPUT jumps to it
/// from its first rule on, so that a banned client's established connections end too. Other programs' chains and rules are
/// never touched. A jump that is there already stays where it is, since an administrator may want rules before it.
///
/// Needs CAP_NET_ADMIN and CAP_NET_RAW (`iptables -m set` opens a raw socket), and no more than that: root is not required.
public final class IPSetActuator: Actuator {
  /// How many entries a set may hold. Memory is taken as a set grows (about 45 bytes an IPv4 entry), not for this number.
  public static let defaultMaxElements: UInt32 = 4_194_304

  let maxElements: UInt32
  let programs: Programs
  let faults: FaultInjector?
  let state = Mutex(State())
  /// How many entries each set had when `needsCheck` looked last.
  let lastCounts = Mutex<[String: Int]>([:])
  let closer = ConnectionCloser()
  /// Kept open between decisions: closing a socket of netfilter's waits for other programs' transactions.
  private let client = Mutex<IPSetClient?>(nil)

  /// A jail's sets, by name; the bytes go into messages.
  struct JailSets {
    var target: FirewallTarget
    var ipv4: String
    var ipv6: String
    var ipv4Bytes: [UInt8]
    var ipv6Bytes: [UInt8]

    init(_ target: FirewallTarget) {
      self.target = target
      ipv4 = SetName.of(jail: target.jail, .ipv4)
      ipv6 = SetName.of(jail: target.jail, .ipv6)
      ipv4Bytes = Array(ipv4.utf8)
      ipv6Bytes = Array(ipv6.utf8)
    }

    func name(_ family: AddressFamily) -> String { family == .ipv4 ? ipv4 : ipv6 }
    func bytes(_ family: AddressFamily) -> [UInt8] { family == .ipv4 ? ipv4Bytes : ipv6Bytes }
  }

  struct State: Sendable {
    var plan = FirewallPlan([])
    var jails: [String: JailSets] = [:]
    var families: [AddressFamily] = []
    /// Does iptables use the kernel's old tables, not nf_tables?
    var isLegacy = false
    var printed: [AddressFamily: Printed] = [:]
    /// What the last check found.
    var problems: [FirewallProblem] = []
    /// What was refused by rules that have since been replaced.
    var packets: [String: PacketCount] = [:]

    /// Is `listing` what our chain should be?
    func accepts(_ listing: [String], _ rules: [String], _ family: AddressFamily) -> Bool {
      listing == rules || Printed(rules: rules, listing: listing) == printed[family]
    }
  }

  /// Rules as we write them, and as this machine's iptables printed them afterwards: another version may use other words.
  struct Printed: Equatable {
    var rules: [String]
    var listing: [String]
  }

  public convenience init() { self.init(directories: Program.systemDirectories) }

  /// - Parameters:
  ///   - directories: where the programs are looked for.
  ///   - faults: makes netlink calls fail.
  package init(
    directories: [String], faults: FaultInjector? = nil, maxElements: UInt32 = IPSetActuator.defaultMaxElements
  ) {
    programs = Programs(directories: directories)
    self.maxElements = maxElements
    self.faults = faults
  }

  public var backend: FirewallBackend { .ipset }

  /// `ipset(8)`: "the maximum value is 2147483".
  public var longestTimeout: TimeSpan { Self.longestTimeout }
  static let longestTimeout = TimeSpan.seconds(2_147_483)

  // MARK: Bans

  public func apply(_ changes: [FirewallChange], now: Instant) throws(FirewallError) -> [ChangeOutcome] {
    let (outcomes, banned) = try state.withLock { state throws(FirewallError) in
      let outcomes = try apply(changes, now: now, state)
      return (outcomes, ConnectionCloser.bans(changes, outcomes) { state.jails[$0]?.target })
    }
    closer.add(banned)
    return outcomes
  }

  func apply(_ changes: [FirewallChange], now: Instant, _ state: State) throws(FirewallError) -> [ChangeOutcome] {
    guard !changes.isEmpty else { return [] }
    var outcomes = [ChangeOutcome](repeating: .applied, count: changes.count)
    var entries: [IPSetClient.Entry] = []
    var indices: [Int] = []
    for (i, change) in changes.enumerated() {
      let family: AddressFamily = change.subnet.isIPv4 ? .ipv4 : .ipv6
      guard let sets = state.jails[change.jail] else {
        outcomes[i] = .failed(FirewallError(.setMissing, "the firewall knows no jail \(change.jail)"))
        continue
      }
      guard state.families.contains(family) else {
        outcomes[i] = .failed(
          FirewallError(
            .familyUnavailable, "\(change.subnet) is not blocked: \(family) is not filtered on this machine"))
        continue
      }
      if let refusal = change.refusal {
        outcomes[i] = .failed(refusal)
        continue
      }
      var entry = IPSetClient.Entry(add: change.action == .add, set: sets.bytes(family), subnet: change.subnet)
      if change.action == .add {
        guard let timeout = Self.timeout(until: change.until, now: now) else {
          outcomes[i] = .expired
          continue
        }
        entry.timeout = timeout
      }
      entries.append(entry)
      indices.append(i)
    }
    guard !entries.isEmpty else { return outcomes }
    let codes = try client.withLock { kept throws(FirewallError) -> [Int32] in
      // One that fails is closed; the next decision opens another.
      if kept == nil { kept = try IPSetClient(faults: faults) }
      guard var client = kept.take() else { return [] }
      let codes = try client.apply(entries)
      kept = consume client
      return codes
    }
    for (k, code) in codes.enumerated() where code != 0 {
      outcomes[indices[k]] = .failed(IPSetClient.error(code, set: String(decoding: entries[k].set, as: UTF8.self)))
    }
    return outcomes
  }

  /// Whole seconds, rounded up, at most the ceiling; 0 is permanently; nil when the end has passed.
  static func timeout(until: Instant?, now: Instant) -> UInt32? {
    guard let until else { return 0 }
    let left = until.since(now)
    guard left > .zero else { return nil }
    return UInt32(min(left.seconds + (left.microseconds % 1_000_000 > 0 ? 1 : 0), longestTimeout.seconds))
  }

  public func contents() throws(FirewallError) -> [KernelBan] {
    try state.withLock { state throws(FirewallError) in try contents(state, sets: nil) }
  }

  /// What these sets hold (nil: all of ours).
  func contents(_ state: State, sets: Set<String>?) throws(FirewallError) -> [KernelBan] {
    var client = try IPSetClient(faults: faults)
    var bans: [KernelBan] = []
    for jail in state.jails.values {
      for family in state.families where sets?.contains(jail.name(family)) ?? true {
        for (subnet, timeout) in try client.entries(of: jail.name(family)) {
          bans.append(
            KernelBan(jail: jail.target.jail, subnet: subnet, remaining: timeout == 0 ? nil : .seconds(Int64(timeout))))
        }
      }
    }
    return bans
  }
}
