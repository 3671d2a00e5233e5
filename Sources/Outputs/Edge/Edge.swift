internal import AuditLog
internal import Model
internal import Settings
internal import Synchronization
internal import System

/// Something before this machine that refuses a list of addresses and blocks.
protocol Edge: Sendable {
  /// Makes its list this one; what it holds besides is removed as far as it is Bailiff's. Returns what was done, for whoever tries
  /// it out.
  func hold(_ bans: [Subnet]) throws(DeliveryError) -> String
}

/// The bans that edges are told, as the store has them.
struct BansInForce: Sendable {
  private let database: String
  /// Settings that enforce nothing here enforce nothing elsewhere.
  private let isDryRun: Bool

  init(_ settings: Settings) {
    database = settings.database
    isDryRun = settings.firewall.backend == .dryRun
  }

  /// Each once, in order. `jails` empty: of all.
  func bans(of jails: Set<String>) throws(DeliveryError) -> [Subnet] {
    guard !isDryRun else { return [] }
    do {
      let bans = try AuditStore.readOnly(path: database).bansInForce(at: SystemClock.now(), isDryRun: false)
      let subnets = bans.filter { jails.isEmpty || jails.contains($0.jail) }.compactMap(\.identity.subnet)
      return Set(subnets).sorted()
    } catch { throw .unreachable("\(error)") }
  }
}

/// Keeps an edge's list as the bans in force are. It is told all of them each time, so that nothing depends on what it was told before:
/// after a restart, an outage, or somebody else's change the next ban puts it right.
final class EdgeKeeper: Sendable {
  private struct State {
    var lastTry = -Double.infinity
    var failures = 0
  }

  /// Among operators' rows are the start and each reload, after which the list may be another.
  static let kinds: Set<AuditRow.Kind> = [.ban, .unban, .operator]

  private let settings: EdgeSettings
  private let edge: any Edge
  private let jails: Set<String>
  private let bans: BansInForce
  private let counters: OutputCounters
  private let clock: OutputClock
  private let state = Mutex(State())

  init(
    _ settings: EdgeSettings, _ edge: any Edge, jails: Set<String>, bans: BansInForce, counters: OutputCounters,
    clock: OutputClock = .system
  ) {
    self.settings = settings
    self.edge = edge
    self.jails = jails
    self.bans = bans
    self.counters = counters
    self.clock = clock
  }

  /// Called on the consumer's own thread, one call after the other.
  func receive(_ rows: [AuditRow]) -> DecisionConsumer.Receipt {
    let changes = rows.count(where: isChange)
    guard changes > 0 else { return .done }
    let early = state.withLock { state in
      Double(settings.every.microseconds) / 1e6 - (clock.monotonic() - state.lastTry)
    }
    if early > 0 { return .later(.seconds(early)) }
    do {
      _ = try edge.hold(bans.bans(of: jails))
      counters.delivered(events: changes, at: clock.now())
      state.withLock { $0 = State(lastTry: clock.monotonic()) }
      return .done
    } catch {
      counters.refused(error.message, at: clock.now())
      var wish = 0.0
      if case .unreachable(_, let after?) = error { wish = min(after, Pacing.longestWish) }
      let pause = state.withLock { state in
        state.lastTry = clock.monotonic()
        state.failures += 1
        return min(Pacing.pauses.first * Double(1 << min(state.failures - 1, 20)), Pacing.pauses.longest)
      }
      return .refused(error.message, again: .seconds(max(wish, pause * (0.5 + clock.random() / 2))))
    }
  }

  private func isChange(_ row: AuditRow) -> Bool {
    switch row.kind {
    case .ban, .unban: jails.isEmpty || jails.contains(row.jail)
    case .operator: ["start", "reload", "store-set-aside", "store-gone"].contains(row.action)
    case .failure: false
    }
  }
}
