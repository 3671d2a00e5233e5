internal import Firewall
internal import Model
internal import Settings

/// What the lists say at present, as the decider's thread knows it.
struct HeldLists: Sendable {
  /// By the list's name: what the firewall blocks for it.
  private(set) var blocked: [String: AddressList] = [:]
  /// What allow lists and `bailiff allow` spare.
  var allowed = AddressList()
  /// Grows with each look at the lists: what was worked out earlier and comes later is no news.
  var order = 0

  init(blocked: [String: AddressList] = [:], allowed: AddressList = AddressList()) {
    self.blocked = blocked
    self.allowed = allowed
  }

  /// Does it block and spare the same?
  func isSame(as other: HeldLists) -> Bool { blocked == other.blocked && allowed == other.allowed }

  /// Goes over to a new state of a list (nil: it is no more); returns what the firewall has to change: first what is
  /// added, so that nothing is open in between.
  mutating func replace(_ name: String, with list: AddressList?) -> [FirewallChange] {
    let (added, removed) = (list ?? AddressList()).difference(from: blocked[name] ?? AddressList())
    blocked[name] = list
    return added.map { FirewallChange(.add, jail: name, subnet: $0) }
      + removed.map { FirewallChange(.remove, jail: name, subnet: $0) }
  }

  /// Forgets lists that the settings do not name any more, with which the firewall does, too.
  mutating func keep(_ names: Set<String>) { blocked = blocked.filter { names.contains($0.key) } }

  /// The lists that block this address, or a part of this block.
  func naming(_ subnet: Subnet) -> [(list: String, entry: Subnet)] {
    let blocking = blocked.filter { !$0.key.hasPrefix(StaticRuleSettings.Action.allowOnly.rawValue + ":") }
    return blocking.compactMap { name, list in list.overlapping(subnet).map { (name, $0) } }.sorted {
      $0.list < $1.list
    }
  }
}
