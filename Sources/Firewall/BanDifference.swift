import Model

/// What has to change so that the firewall holds the bans that are wanted: told piece by piece, so that a list of millions is
/// never there a second time.
struct BanDifference {
  /// The changes that are sent at once.
  static let piece = 32_768

  typealias Apply = (_ changes: [FirewallChange], _ isNew: (Int) -> Bool) throws(FirewallError) -> [ChangeOutcome]

  private struct Key: Hashable {
    var jail: String
    var subnet: Subnet
  }

  private let jails: Set<String>
  private let longest: TimeSpan
  private let now: Instant
  /// What is held and not known to be wanted.
  private var rest: [Key: TimeSpan?]
  private var changes: [FirewallChange] = []
  /// Those additions whose entry is there with another end.
  private var adjusting: Set<Int> = []
  private(set) var report = RestoreReport()
  /// The bans that were missing, by jail.
  private(set) var added: [String: Int] = [:]

  /// - Parameters:
  ///   - jails: the jails that the firewall knows; bans of others are skipped.
  ///   - longest: the longest timeout that an entry can have.
  init(held: [KernelBan], jails: Set<String>, longest: TimeSpan, now: Instant) {
    (self.jails, self.longest, self.now) = (jails, longest, now)
    rest = Dictionary(
      held.map { (Key(jail: $0.jail, subnet: $0.subnet), $0.remaining) }, uniquingKeysWith: { first, _ in first })
  }

  /// Additions first, then what nobody wants where `removeOthers`.
  mutating func close(
    _ wanted: some Sequence<Ban>, removeOthers: Bool, _ apply: Apply
  ) throws(FirewallError) {
    for ban in wanted {
      want(ban)
      if changes.count >= Self.piece { try send(apply) }
    }
    try send(apply)
    guard removeOthers else { return }
    changes = rest.keys.map { FirewallChange(.remove, jail: $0.jail, subnet: $0.subnet) }
    try send(apply)
  }

  private mutating func want(_ ban: Ban) {
    guard let subnet = ban.identity.subnet, jails.contains(ban.jail), ban.until.map({ $0 > now }) ?? true else {
      report.skipped += 1
      return
    }
    if let remaining = rest.removeValue(forKey: Key(jail: ban.jail, subnet: subnet)) {
      if Self.agree(remaining, ban.until.map { min($0.since(now), longest) }) {
        report.kept += 1
        return
      }
      adjusting.insert(changes.count)
    }
    changes.append(FirewallChange(.add, jail: ban.jail, subnet: subnet, until: ban.until))
  }

  /// Sends what has gathered, and counts what became of it.
  private mutating func send(_ apply: Apply) throws(FirewallError) {
    guard !changes.isEmpty else { return }
    let (changes, adjusting) = (changes, adjusting)
    func isNew(_ index: Int) -> Bool { changes[index].action == .add && !adjusting.contains(index) }
    for (i, outcome) in try apply(changes, isNew).enumerated() {
      switch outcome {
      case .failed(let error): report.failed.append(.init(change: changes[i], error: error))
      case .expired: report.skipped += 1
      case .applied where changes[i].action == .remove: report.removed += 1
      case .applied where adjusting.contains(i): report.adjusted += 1
      case .applied:
        report.added += 1
        added[changes[i].jail, default: 0] += 1
      }
    }
    self.changes.removeAll(keepingCapacity: true)
    self.adjusting.removeAll()
  }

  /// ipset counts whole seconds, and the kernel's clock has gone on since `now` was read.
  private static func agree(_ held: TimeSpan?, _ wanted: TimeSpan?) -> Bool {
    guard let held, let wanted else { return held == nil && wanted == nil }
    let difference = held.microseconds - wanted.microseconds
    return (-3_000_000...3_000_000).contains(difference)
  }
}
