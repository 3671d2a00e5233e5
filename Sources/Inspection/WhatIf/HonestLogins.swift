internal import AuditLog
internal import Model
internal import Pipeline
internal import Settings

/// What speaks for an address: somebody logged in from there, or it is spared by a list or by a person.
struct HonestLogins {
  private var accounts: [Address: Set<String>] = [:]
  private let lists: ListLookup
  private let ignored: [Subnet]

  /// Activities that are looked through at most.
  private static let most = 500_000

  init(_ reader: AuditReader, _ settings: Settings, since: Instant, until: Instant) throws {
    lists = ListLookup(settings)
    ignored = settings.ignoreip.compactMap { if case .subnet(let subnet) = $0 { subnet } else { nil } }
    var filter = ActivityFilter()
    (filter.since, filter.until, filter.events) = (since, until, [.login])
    var looked = 0
    while looked < Self.most {
      let rows = try reader.activities(filter, limit: 4096)
      for row in rows {
        guard let address = row.address else { continue }
        accounts[address, default: []].insert(row.user.isEmpty ? row.target : row.user)
      }
      looked += rows.count
      guard rows.count == 4096 else { break }
      filter.before = rows.last?.number
    }
  }

  func reasons(for identity: Identity) -> [String] {
    guard let subnet = identity.subnet else { return [] }
    var reasons: [String] = []
    let users = logins(from: subnet).sorted()
    if !users.isEmpty {
      let names = users.prefix(3).joined(separator: ", ") + (users.count > 3 ? " …" : "")
      reasons.append("logged in: \(names)")
    }
    if let entry = lists.allowing(subnet) { reasons.append("\(entry) is allowed") }
    if let entry = ignored.first(where: { $0.contains(subnet) || subnet.contains($0) }) {
      reasons.append("\(entry) is in ignoreip")
    }
    return reasons
  }

  private func logins(from subnet: Subnet) -> Set<String> {
    if subnet.isSingleAddress { return accounts[subnet.base] ?? [] }
    return accounts.reduce(into: []) { users, entry in
      if subnet.contains(entry.key) { users.formUnion(entry.value) }
    }
  }
}
