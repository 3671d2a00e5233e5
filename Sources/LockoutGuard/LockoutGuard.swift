public import Model
import Synchronization
import System

/// Who must not be banned: nouns are *protected* (addresses whose ban would cut off this machine or the person who runs it),
/// *session* (somebody who is logged in) and *objection* (what speaks against one ban). The guard is asked before a ban is
/// entered, so that what is refused never was a ban.
///
/// ```swift
/// let lockout = LockoutGuard()
/// if let objection = lockout.objection(to: subnet, sparing: .administrators, now: SystemClock.now()) {
///   print("not banned: \(objection)")
/// }
/// ```
///
/// What it knows was looked up at most a second before it is used. A look reads a few files of every process, which takes
/// longer than a ban. So while bans fall, another thread looks again before the second is over, and only the first ban after
/// a quiet time waits.
public final class LockoutGuard: Sendable {
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

  public init(look: @escaping @Sendable () -> Protected = { Protected.collect() }) { self.look = look }

  /// Can it be seen at all who is logged in?
  public static var seesSessions: Bool { Sessions.canBeSeen }

  /// The first reason not to ban this; nil: none.
  public func objection(to subnet: Subnet, sparing: SparedSessions, now: Instant) -> Protected.Objection? {
    protected(at: now).objections(to: subnet, sparing: sparing).first
  }

  /// Those that are protected now.
  public func protected(at now: Instant) -> Protected {
    let (known, isWatched) = state.withLock { state -> (Protected?, Bool) in
      let age = now.since(state.collected)
      let isFresh = age < .seconds(1) && age > .seconds(-1)
      defer { (state.asked, state.isWatched) = (now, true) }
      return (isFresh ? state.protected : nil, state.isWatched)
    }
    let protected = known ?? collect()
    // A thread inherits the network namespace of the one that makes it, as what it looks at should.
    if !isWatched { _ = ServiceThread("bailiff-guard") { [self] in watch() } }
    return protected
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

/// Whose sessions are spared by bans that jails decide.
public enum SparedSessions: Hashable, Sendable {
  case none
  /// Those of accounts that may become root, and of accounts that are not known here (LDAP).
  case administrators
  case everybody
}
