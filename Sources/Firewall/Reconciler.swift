import CMnl
import Glibc
import Synchronization
import System

/// Notices that another program has taken away what the firewall needs: it flushed INPUT, removed our chain or a set, or
/// loaded a ruleset of its own.
///
/// ```swift
/// let reconciler = Reconciler(firewall) { cause in
///   decisions.enqueue { audit(try firewall.check(wanted: { bansInForce }, now: now), cause) }
/// }
/// try reconciler.start()
/// ```
///
/// It only looks. Repairing is left to the thread that applies decisions, which alone knows which bans are wanted at that
/// moment; until that has happened, the next look, a second later, reports again.
///
/// With iptables-nft the kernel tells of every change (nf_tables' multicast group), and what does not concern our chain or
/// those that jump to it costs nothing more. Sets are looked at once a second, because ipset tells nobody of a flush; so are
/// legacy iptables' rules, for the same reason. Everything is looked at every `interval`.
public final class Reconciler: Sendable {
  private let actuator: any Actuator
  private let interval: Double
  private let deviation: @Sendable (_ cause: String?) -> Void
  private let running = Mutex<(loop: Loop, thread: ServiceThread)?>(nil)

  /// - Parameters:
  ///   - interval: seconds between looks at everything.
  ///   - deviation: called on the reconciler's thread; `cause` names the program that changed the firewall, where the
  ///     kernel said so: `iptables-restore (pid 812)`.
  public init(
    _ actuator: any Actuator, interval: Double = 30, deviation: @escaping @Sendable (_ cause: String?) -> Void
  ) {
    self.actuator = actuator
    self.interval = interval
    self.deviation = deviation
  }

  /// Begins to watch, in the network namespace of the calling thread. Call it after `prepare`. Watches nothing for an
  /// actuator that changes nothing.
  public func start() throws(FirewallError) {
    guard actuator.changesKernel else { return }
    try running.withLock { running throws(FirewallError) in
      guard running == nil else { return }
      let loop = try Loop(actuator: actuator, interval: interval, deviation: deviation)
      running = (loop, ServiceThread("bailiff-firewall") { loop.run() })
    }
  }

  /// Ends the watch and waits until its thread has ended. Not to be called from `deviation`.
  public func stop() {
    guard
      let (loop, thread) = running.withLock({ running in
        defer { running = nil }
        return running
      })
    else { return }
    loop.wake.signal()
    thread.join()
  }
}

/// The thread that watches.
private final class Loop: Sendable {
  /// How long to wait for the rest of what another program is doing, in seconds.
  private static let quietTime = 0.02
  private static let longestWait = 0.2

  private let actuator: any Actuator
  private let interval: Double
  private let deviation: @Sendable (String?) -> Void
  let wake: WakeUp
  private let socket: Mutex<NetlinkSocket>
  /// Whose notifications the socket does not receive.
  private let ignored = Mutex<UInt32?>(nil)

  init(
    actuator: any Actuator, interval: Double, deviation: @escaping @Sendable (String?) -> Void
  ) throws(FirewallError) {
    do throws(SystemError) { wake = try WakeUp() } catch {
      throw FirewallError(.netlink, "cannot watch the firewall: \(error)")
    }
    socket = Mutex(try NetlinkSocket(groups: 1 << (NFNLGRP_NFTABLES.rawValue - 1)))
    self.actuator = actuator
    self.interval = interval
    self.deviation = deviation
  }

  func run() {
    var nextTick = monotonicSeconds() + 1
    var nextLook = monotonicSeconds() + interval
    while true {
      // Asked each time: a reload may name others.
      let watch = actuator.watch
      ignore(watch.ownPort)
      let event = wait(until: nextTick, watch)
      if event.stopped { return }
      let time = monotonicSeconds()
      let thorough = event.touched || time >= nextLook
      if time >= nextTick { nextTick = time + 1 }
      if thorough { nextLook = time + interval }
      // What cannot be looked at is reported too: the repair then says why.
      if event.ownTableChanged || (try? actuator.needsCheck(thorough: thorough)) ?? true { deviation(event.cause) }
    }
  }

  /// What the actuator itself does is no news.
  private func ignore(_ port: UInt32?) {
    ignored.withLock { ignored in
      guard let port, ignored != port else { return }
      socket.withLock { $0.ignoreNotifications(by: port) }
      ignored = port
    }
  }

  private func wait(until end: Double, _ watch: RulesetWatch) -> RulesetEvent {
    var event = RulesetEvent()
    var end = end
    var latest = end
    while true {
      let left = end - monotonicSeconds()
      guard left > 0 else { return event }
      var polls = [
        pollfd(fd: wake.descriptor.raw, events: Int16(POLLIN), revents: 0),
        pollfd(fd: socket.withLock { $0.descriptor }, events: Int16(POLLIN), revents: 0),
      ]
      // Safe: the array's own count.
      guard unsafe poll(&polls, 2, Int32(left * 1000) + 1) > 0 else { continue }
      if polls[0].revents != 0 {
        event.stopped = true
        return event
      }
      let before = event.touched
      do {
        try socket.withLock { socket throws(FirewallError) in try socket.receive { event.read($0, watch) } }
      } catch {
        // More was told than the socket's buffer holds: anything may have changed.
        event.touched = true
        event.ownTableChanged = watch.ownPort != nil
      }
      guard event.touched else { continue }
      if !before { latest = monotonicSeconds() + Self.longestWait }
      end = min(monotonicSeconds() + Self.quietTime, latest)
    }
  }
}
