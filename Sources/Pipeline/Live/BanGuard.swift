internal import Firewall
internal import Model
internal import Synchronization
internal import System

/// Keeps people from being locked out by a slip or by a jail.
enum BanGuard {
  /// What an operator asks for; `--force` passes.
  static func check(_ subnet: Subnet, session: Address?) throws(DaemonError) {
    guard let objection = Protected.collect(caller: session).objections(to: subnet).first else { return }
    throw DaemonError("\(objection)", remedy: "give --force if that is meant")
  }
}

/// What speaks against bans that jails decide: looked up at most a second before it is used.
///
/// A look reads a few files of every process, which takes longer than a ban. So while bans fall, another thread looks again
/// before the second is over, and only the first ban after a quiet time waits.
final class BanObjections: Sendable {
  private struct State {
    var protected = Protected()
    var collected = Instant(microseconds: .min)
    var asked = Instant(microseconds: .min)
    var isWatched = false
  }

  private static let interval = 0.4
  /// For how long after a ban the next one is expected.
  private static let patience = TimeSpan.seconds(5)
  private let state = Mutex(State())
  private let look: @Sendable () -> Protected

  init(look: @escaping @Sendable () -> Protected = { Protected.collect() }) { self.look = look }

  /// The first reason not to ban this; nil: none.
  func objection(to subnet: Subnet, protectSessions: Bool, now: Instant) -> String? {
    let (known, isWatched) = state.withLock { state -> (Protected?, Bool) in
      let age = now.since(state.collected)
      let isFresh = age < .seconds(1) && age > .seconds(-1)
      defer { (state.asked, state.isWatched) = (now, true) }
      return (isFresh ? state.protected : nil, state.isWatched)
    }
    let protected = known ?? collect()
    // A thread inherits the network namespace of the one that makes it, as what it looks at should.
    if !isWatched { _ = ServiceThread("bailiff-guard") { [self] in watch() } }
    return protected.objections(to: subnet, protectSessions: protectSessions).first?.description
  }

  private func collect() -> Protected {
    let started = SystemClock.now()
    let protected = look()
    state.withLock { state in
      state.protected = protected
      state.collected = started
    }
    return protected
  }

  private func watch() {
    while true {
      ServiceThread.sleep(seconds: Self.interval)
      let goesOn = state.withLock { state in
        let quiet = SystemClock.now().since(state.asked)
        state.isWatched = quiet < Self.patience && quiet >= .zero
        return state.isWatched
      }
      guard goesOn else { return }
      _ = collect()
    }
  }
}
