internal import Detection
public import Model
internal import Settings
internal import System

/// What the fleet asks of this server.
public struct FleetCommand: Sendable {
  public var action: Decision.Action
  public var identity: Identity
  /// Nil: all ports, or, of an unban, every jail.
  public var jail: String?
  /// Of a ban; nil: permanent.
  public var until: Instant?
  public var count: Int
  /// Who decided or asked, and why, for the audit.
  public var detail: String

  public init(
    _ action: Decision.Action, _ identity: Identity, jail: String?, until: Instant? = nil, count: Int = 0,
    detail: String
  ) {
    self.action = action
    self.identity = identity
    self.jail = jail
    self.until = until
    self.count = count
    self.detail = detail
  }
}

/// What became of it.
public enum FleetOutcome: Sendable {
  case done
  /// It was so already, or is over.
  case nothingToDo
  /// The jail is not there, or counts alone.
  case noJail
  /// Somebody would be locked out, or is spared.
  case spared
}

extension Daemon {
  /// Carries out what the fleet decided. Its bans take the same guards as this server's own.
  public func obey(_ command: FleetCommand) async -> FleetOutcome { await ask { .fleet(command, $0) } }
}

extension DecisionThread {
  func obey(_ command: FleetCommand) -> FleetOutcome {
    let cause = Decision.Cause.fleet(command.detail)
    guard command.action != .unban else {
      let jail = command.jail.flatMap { plan.jailNames.firstIndex(of: $0) }
      guard command.jail == nil || jail != nil else { return .noJail }
      let results = unban(UnbanOrder(ids: [command.identity], jail: jail, isExact: false, cause: cause))
      return results.contains { !$0.lifted.isEmpty } ? .done : .nothingToDo
    }
    guard let jail = fleetJail(command.jail), let subnet = command.identity.subnet else { return .noJail }
    let now = SystemClock.now()
    if let until = command.until, until <= now { return .nothingToDo }
    if let known = detector.decider.ban(of: command.identity, in: jail), reaches(known.until, command.until) {
      return .nothingToDo
    }
    let proposed = Decision(
      action: .ban, jail: plan.jailNames[jail], identity: command.identity, time: now, until: command.until,
      count: command.count, cause: cause)
    let spared = detector.decider.jails[jail].ignore.overlapping(subnet)
    guard subnet.prefixLength > 0, permits(proposed, sparing: spared, now), spared == nil else { return .spared }
    carryOut([
      detector.decider.ban(
        command.identity, jail: jail, from: now, until: command.until, count: command.count, cause: cause)
    ])
    return .done
  }

  /// Jails that count alone are this server's own affair.
  private func fleetJail(_ name: String?) -> Int? {
    guard let name else { return plan.jailNames.firstIndex(of: Plan.operatorJail) }
    guard let number = plan.jails.firstIndex(where: { $0.settings.name == name }),
      plan.jails[number].settings.scope == .fleet
    else { return nil }
    return number
  }

  private func reaches(_ known: Instant?, _ wanted: Instant?) -> Bool {
    guard let known else { return true }
    return wanted.map { known >= $0 } ?? false
  }
}
