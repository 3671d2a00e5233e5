internal import LockoutGuard
internal import Model
internal import Settings

/// Would somebody who is logged in, or who asks, get in again under these rules?
struct LockoutCheck {
  var rules: [StaticRule]
  /// What each list holds.
  var lists: (String) -> AddressList?
  var allowed: AddressList

  /// Why this address would get no new connection to this port; nil: it would.
  func objection(to address: Address, port: UInt16) -> String? {
    func names(_ rule: StaticRule) -> Bool {
      rule.isForEverybody || rule.entries(lists: lists, allowed: allowed).holding(address) != nil
    }
    if let rule = rules.first(where: { $0.action == .block && $0.concerns(port) && names($0) }) {
      return "`firewall.block` (\(rule.name)) refuses \(address) on port \(port)"
    }
    let openings = rules.filter { $0.action == .allowOnly }
    guard openings.isEmpty || openings.contains(where: { $0.concerns(port) && names($0) }) else {
      return "`firewall.allow_only` does not let \(address) in on port \(port)"
    }
    return nil
  }

  /// The first session that could not be opened again.
  /// - Parameter caller: the session that asks, which is asked about first.
  func objection(caller: (address: Address, port: UInt16?)?, sparing: SparedSessions) -> String? {
    if let caller, let why = objection(to: caller.address, port: caller.port ?? LoginPort.usual) {
      return "\(why), from where this session comes"
    }
    for login in LoginPort.collect(sparing: sparing) {
      if let why = objection(to: login.address, port: login.port) { return "\(why), from where somebody is logged in" }
    }
    return nil
  }
}
