import Model

/// What has to change so that the firewall holds the bans that are wanted.
struct BanDifference {
  /// Additions first, then removals.
  private(set) var changes: [FirewallChange] = []
  /// Those additions whose entry is there with another end.
  private(set) var adjusting: Set<Int> = []
  private var report = RestoreReport()

  private struct Key: Hashable {
    var jail: String
    var subnet: Subnet
  }

  /// - Parameters:
  ///   - jails: the jails that the firewall knows; bans of others are skipped.
  ///   - longest: the longest timeout that an entry can have.
  ///   - removeOthers: do entries that nobody wants go?
  init(
    wanted: some Sequence<Ban>, held: [KernelBan], jails: Set<String>, longest: TimeSpan, now: Instant,
    removeOthers: Bool
  ) {
    var rest = Dictionary(
      held.map { (Key(jail: $0.jail, subnet: $0.subnet), $0.remaining) }, uniquingKeysWith: { first, _ in first })
    for ban in wanted {
      guard let subnet = ban.identity.subnet, jails.contains(ban.jail), ban.until.map({ $0 > now }) ?? true else {
        report.skipped += 1
        continue
      }
      if let remaining = rest.removeValue(forKey: Key(jail: ban.jail, subnet: subnet)) {
        if Self.agree(remaining, ban.until.map { min($0.since(now), longest) }) {
          report.kept += 1
          continue
        }
        adjusting.insert(changes.count)
      }
      changes.append(FirewallChange(.add, jail: ban.jail, subnet: subnet, until: ban.until))
    }
    if removeOthers {
      changes += rest.keys.map { FirewallChange(.remove, jail: $0.jail, subnet: $0.subnet) }
    }
  }

  /// ipset counts whole seconds, and the kernel's clock has gone on since `now` was read.
  private static func agree(_ held: TimeSpan?, _ wanted: TimeSpan?) -> Bool {
    guard let held, let wanted else { return held == nil && wanted == nil }
    let difference = held.microseconds - wanted.microseconds
    return (-3_000_000...3_000_000).contains(difference)
  }

  /// Counts what became of `changes`.
  func report(_ outcomes: [ChangeOutcome]) -> RestoreReport {
    var report = report
    for (i, outcome) in outcomes.enumerated() {
      switch outcome {
      case .failed(let error): report.failed.append(.init(change: changes[i], error: error))
      case .expired: report.skipped += 1
      case .applied where changes[i].action == .remove: report.removed += 1
      case .applied where adjusting.contains(i): report.adjusted += 1
      case .applied: report.added += 1
      }
    }
    return report
  }
}
