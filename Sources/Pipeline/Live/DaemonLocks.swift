internal import AuditLog
internal import Firewall
internal import Glibc
internal import Settings
internal import System

/// What one daemon at a time has: its store, and in this network namespace the names of Bailiff's sets and chains. Two that
/// had the same would each take the other's bans for left-overs.
struct DaemonLocks: ~Copyable {
  private let store: StoreLock
  private let firewall: NamespaceLock?

  init(_ settings: Settings, changesKernel: Bool, log: RunLog) throws {
    try StateDirectory.make(settings.state)
    let firewall = changesKernel ? try Self.lockFirewall(log) : nil
    store = try StoreLock(settings.database)
    self.firewall = firewall
  }

  /// Nil when somebody else has taken the name, who may not change a firewall.
  private static func lockFirewall(_ log: RunLog) throws -> NamespaceLock? {
    do {
      return try NamespaceLock("bailiff-firewall")
    } catch .held(let holder?) where holder.uid == 0 || holder.uid == geteuid() {
      throw FirewallError(
        .inUse,
        "process \(holder.pid) (\(holder.command)) carries out bans in this network namespace already; stop it first, or run "
          + "this one as a dry run")
    } catch .held(let holder) {
      let who = holder.map { "process \($0.pid) of uid \($0.uid)" } ?? "a process that does not answer"
      log.warning("\(who) has the name @bailiff-firewall, which is Bailiff's; going on without")
      return nil
    } catch .system(let error) {
      log.warning("a second daemon would not be noticed: \(error)")
      return nil
    }
  }
}
