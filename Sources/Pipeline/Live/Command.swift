internal import Detection
internal import Firewall
internal import Model
internal import System

/// What the decider's thread is asked to do between two batches: everything that changes windows, bans or the firewall, besides
/// failures and the passing of time.
enum Command: Sendable {
  /// Where the answer goes.
  typealias Reply<Value> = CheckedContinuation<Value, Never>

  // People and programs, over the daemon's socket.
  case bans(Reply<[Ban]>)
  case ban(BanOrder, Reply<(ban: Ban, confirmBy: Instant?)>)
  /// Which entry of `ignoreip` spares somebody in the block.
  case spared(Subnet, jail: Int, Reply<Subnet?>)
  case fleet(FleetCommand, Reply<FleetOutcome>)
  case confirm(Identity, uid: UInt32, Reply<Ban?>)
  case unban(UnbanOrder, Reply<[Unbanned]>)
  case unbanAll(jail: Int?, Decision.Cause, Reply<[String: Int]>)
  case report(ReportedFailure, from: String, read: Double, Reply<Bool>)
  case reload(Plan, ignoring: [Subnet], Reply<Void>)
  case switchBackend(SwitchableActuator, to: any Actuator, FirewallPlan, Reply<Result<[FirewallNotice], FirewallError>>)

  // Other threads of the daemon.
  case adopt(HeldLists, Reply<Void>?)
  case sendListChanges
  /// Another program (`cause`, where the kernel told) has changed the firewall.
  case repair(cause: String?)
  /// A new store was begun.
  case storeBans
  /// Names of `ignoreip` have addresses now, or have none.
  case refreshIgnored
  case noteUnresolved(String)

  #if DEBUG
    /// Tests look at what the thread owns.
    case look(@Sendable (DecisionThread) -> Void)
  #endif
}

extension DecisionThread {
  func perform(_ command: Command) {
    switch command {
    case .bans(let reply): answer(reply, allBans())
    case .ban(let order, let reply): answer(reply, ban(order))
    case .spared(let subnet, let jail, let reply):
      answer(reply, detector.decider.jails[jail].ignore.overlapping(subnet))
    case .fleet(let command, let reply): answer(reply, obey(command))
    case .confirm(let identity, let uid, let reply): answer(reply, confirm(identity, uid: uid))
    case .unban(let order, let reply): answer(reply, unban(order))
    case .unbanAll(let jail, let cause, let reply): answer(reply, unbanAll(jail, cause))
    case .report(let failure, let sender, let read, let reply): answer(reply, report(failure, from: sender, read: read))
    case .reload(let plan, let ignored, let reply): answer(reply, goOver(to: plan, ignoring: ignored))
    case .switchBackend(let firewall, let next, let plan, let reply):
      answer(reply, switchBackend(of: firewall, to: next, plan))
    case .adopt(let held, let reply):
      adopt(held, at: SystemClock.now())
      if let reply { answer(reply, ()) }
    case .sendListChanges: sendListChanges()
    case .repair(let cause): repair(SystemClock.now(), cause: cause)
    case .storeBans: storeBans()
    case .refreshIgnored: refreshIgnored()
    case .noteUnresolved(let name): noteUnresolved(name)
    #if DEBUG
      case .look(let body): body(self)
    #endif
    }
  }

  /// Whoever has the answer sees what it is about.
  private func answer<Value: Sendable>(_ reply: Command.Reply<Value>, _ value: Value) {
    publish()
    reply.resume(returning: value)
  }
}

extension Daemon {
  /// Has the decider's thread perform a command, and waits for the answer.
  func ask<Value: Sendable>(_ command: (Command.Reply<Value>) -> Command) async -> Value {
    await withCheckedContinuation { loop.queue.postUrgent(.command(command($0))) }
  }
}
