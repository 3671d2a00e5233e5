internal import Firewall
internal import Model

/// Keeps people from being locked out by a slip or by a jail.
enum BanGuard {
  /// What an operator asks for; `--force` passes.
  static func check(_ subnet: Subnet, session: Address?) throws(DaemonError) {
    guard let objection = Protected.collect(caller: session).objections(to: subnet).first else { return }
    throw DaemonError("\(objection)", remedy: "give --force if that is meant")
  }
}

/// What speaks against bans that jails decide, asked again at most once a second: it reads a dozen files under /proc.
struct BanObjections {
  private var protected = Protected()
  private var collected = Instant(microseconds: .min)

  /// The first reason not to ban this; nil: none.
  mutating func objection(to subnet: Subnet, protectSessions: Bool, now: Instant) -> String? {
    if now.since(collected) >= .seconds(1) || now < collected {
      protected = Protected.collect()
      collected = now
    }
    return protected.objections(to: subnet, protectSessions: protectSessions).first?.description
  }
}
