internal import Model

/// Which jails have seen one address only, and that one of this machine or of its containers' bridge: what connects there is a
/// proxy, and the clients are behind it.
struct SoleAddresses {
  /// Loopback, and the pools of Docker and Podman.
  private static let bridges = ["127.0.0.0/8", "::1/128", "172.16.0.0/12", "10.88.0.0/16"].map { Subnet($0)! }
  /// So many lines are no accident.
  private static let enough = 20

  private struct Seen {
    var address: Address
    var lines = 0
    var areOthers = false
  }

  private var jails: [String: Seen] = [:]

  /// Counts a batch; calls `body` for each jail whose state has changed, with its only address, or nil when there are others.
  mutating func add(
    _ failures: [Failure], jails names: [String], isOwn: (Address) -> Bool, _ body: (String, Address?) -> Void
  ) {
    for failure in failures where Int(failure.jail) < names.count && failure.name.isEmpty {
      let name = names[Int(failure.jail)]
      var seen = jails[name] ?? Seen(address: failure.address)
      guard !seen.areOthers else { continue }
      if failure.address == seen.address {
        seen.lines += 1
        if seen.lines == Self.enough, isSuspicious(seen.address, isOwn) { body(name, seen.address) }
      } else {
        seen.areOthers = true
        if seen.lines >= Self.enough { body(name, nil) }
      }
      jails[name] = seen
    }
  }

  private func isSuspicious(_ address: Address, _ isOwn: (Address) -> Bool) -> Bool {
    Self.bridges.contains { $0.contains(address) } || isOwn(address)
  }
}
