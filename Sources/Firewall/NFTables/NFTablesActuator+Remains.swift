import Model
import Synchronization

extension NFTablesActuator {
  public func inventory() throws(FirewallError) -> [FirewallObject] {
    var client = try NFTablesClient(faults: faults)
    guard try Self.isSupported(&client), try client.table() != nil else { return [] }
    var objects = [FirewallObject(.nftables, .table, "inet \(NFTables.table)")]
    let counters = try client.counters()
    for chain in try client.chains().filter(\.isOurs).sorted(by: { $0.name < $1.name }) {
      objects.append(FirewallObject(.nftables, .chain, chain.name, refused: counters[chain.name]))
    }
    for set in try client.sets().sorted(by: { $0.name < $1.name }) {
      objects.append(FirewallObject(.nftables, .set, set.name, entries: try client.elements(of: set.name).count))
    }
    return objects
  }

  public func clear() throws(FirewallError) {
    try core.withLock { core throws(FirewallError) in
      var client: NFTablesClient
      if let kept = core.client.take() { client = kept } else { client = try NFTablesClient(faults: faults) }
      core.state = State()
      guard try Self.isSupported(&client), let table = try client.table() else { return }
      try Self.requireOurs(table, client.port)
      var transaction = NFTablesTransaction()
      transaction.deleteTable()
      try client.commit(transaction)
    }
  }

  /// False where the kernel has no nf_tables, and so nothing of ours in it.
  private static func isSupported(_ client: inout NFTablesClient) throws(FirewallError) -> Bool {
    do {
      try client.requireAccess()
      return true
    } catch  where error.code == .kernelSupport {
      return false
    }
  }

  static func requireOurs(_ table: NFTablesClient.Table, _ port: UInt32) throws(FirewallError) {
    guard let owner = table.owner, owner != port else { return }
    throw FirewallError(
      .notPermitted,
      "table inet \(NFTables.table) belongs to a program that is running (netlink socket \(owner)): stop the other Bailiff "
        + "first (`systemctl stop bailiff`)")
  }
}
