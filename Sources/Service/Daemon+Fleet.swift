internal import Fleet
internal import Model
internal import Pipeline
internal import System

extension Daemon {
  /// Carries out what the fleet says.
  func obey(_ word: FleetWord, _ log: RunLog) async {
    let id = Identity.network(word.subnet)
    switch word.action {
    case .ban(let until, let count):
      let outcome = await obey(
        FleetCommand(.ban, id, jail: word.jail, until: until, count: count, detail: word.detail))
      if outcome == .spared { log.warning("[\(word.jail ?? "operator")] \(id) is banned by the fleet, and not here") }
    case .unban: _ = await obey(FleetCommand(.unban, id, jail: word.jail, detail: word.detail))
    case .allow(let until):
      let now = SystemClock.now()
      let isOver = until.map { $0 <= now } ?? false
      let isKnown = allowed.contains { $0.subnet == word.subnet && $0.until?.seconds == until?.seconds }
      guard !isOver, !isKnown else { return }
      do {
        _ = try await allow(
          word.subnet, for: until?.since(now), why: word.detail, uid: 0, command: "fleet: \(word.detail)")
      } catch { log.error("fleet: \(word.subnet) is not allowed: \(error)") }
    case .disallow:
      do { _ = try await disallow(word.subnet, uid: 0, command: "fleet: \(word.detail)") } catch {
        log.error("fleet: \(word.subnet) is still allowed: \(error)")
      }
    }
  }
}
