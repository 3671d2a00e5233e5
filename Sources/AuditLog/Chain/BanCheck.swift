internal import Model
internal import SQLite

/// Makes the table of bans again from the decisions, and compares.
struct BanCheck {
  private struct Key: Hashable {
    var jail: String
    var identity: String
  }

  /// A row of `ban`, and the number of the decision that began it.
  private struct Ban: Equatable {
    var record: DecisionRecord
    var address: Address?
    var prefix: Int64?
    var until: Int64?
    var count: Int64
    var ended: Int64?
    var endCause: String?
    var endUID: Int64?
    var endCommand: String?
  }

  private var bans: [Ban] = []
  private var inForce: [Key: Int] = [:]
  /// Ended bans that began before the first decision that is kept.
  private var endedBefore = 0

  mutating func add(_ decision: DecisionRecord, _ subnet: Subnet?, _ number: Int64) {
    let key = Key(jail: decision.jail, identity: decision.identity)
    switch Decision.Action(rawValue: decision.action) {
    case .ban:
      end(key, decision, cause: "replaced")
      inForce[key] = bans.count
      bans.append(
        Ban(
          record: decision, address: subnet?.base, prefix: subnet.map { Int64($0.length) }, until: decision.until,
          count: decision.count))
    case .extend:
      guard let index = inForce[key], bans[index].record.isDryRun == decision.isDryRun else { return }
      bans[index].until = decision.until
      bans[index].count = max(bans[index].count, decision.count)
    case .unban: end(key, decision, cause: decision.cause)
    case nil: break
    }
  }

  private mutating func end(_ key: Key, _ decision: DecisionRecord, cause: String) {
    guard let index = inForce.removeValue(forKey: key) else { return }
    bans[index].ended = decision.time
    bans[index].endCause = cause
    bans[index].endUID = decision.uid
    bans[index].endCommand = decision.command
  }

  /// The first ban that is not as the decisions have it. Those whose decision retention removed cannot be told: they come first.
  func problem(_ removed: Int64, _ db: Database) throws -> IndexCheck.Problem? {
    let rows = try db.rows(
      """
      SELECT id, since, jail, identity, until, count, number, start_cause, start_uid, start_command, applied, dry_run,
        address, prefix, ended, end_cause, end_uid, end_command FROM ban ORDER BY id DESC
      """)
    var left = bans[...]
    while let row = try rows.next() {
      guard let expected = left.popLast() else {
        return removed > 0 ? nil : (.inserted, "ban \(row[0] as Int64)")
      }
      guard Self.isSame(row, expected) else { return (.changed, "ban \(row[0] as Int64)") }
    }
    return left.isEmpty ? nil : (.removed, "a ban of \(left[left.endIndex - 1].record.identity)")
  }

  private static func isSame(_ row: Row, _ ban: Ban) -> Bool {
    let record = ban.record
    return row[1] == record.time && row[2] == record.jail && row[3] == record.identity && row[4] == ban.until
      && row[5] == ban.count && row[6] == record.number && row[7] == record.cause && row[8] == record.uid
      && row[9] == record.command && row[10] == record.applied && row[11] == (record.isDryRun ? 1 : 0)
      && row.address(12) == ban.address && row[13] == ban.prefix && row[14] == ban.ended && row[15] == ban.endCause
      && row[16] == ban.endUID && row[17] == ban.endCommand
  }
}
