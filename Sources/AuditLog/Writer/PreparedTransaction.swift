internal import Model
internal import SQLite

/// A link of the chain with the rows that it covers, worked out and ready to be stored.
struct PreparedTransaction {
  let link: ChainLink
  /// The chain's end after it.
  let end: ChainHead
  /// How many failures.
  let count: Int
  let decisions: [Decision]
  private let records: [DecisionRecord]
  private let applied: [Instant?]
  private let origins: [(number: UInt32, origin: Origin)]
  private let heads: [UInt8]
  private let lines: [UInt8]
  private let before: ChainHead

  init(
    after tip: ChainHead, time: Instant, origins: [(number: UInt32, origin: Origin)], records: borrowing BatchEncoder,
    decisions: [Decision], applied: [Instant?]
  ) {
    var link = ChainLink(after: tip, time: time)
    for (number, origin) in origins { link.append(origin, number: number) }
    link.append(records)
    self.records = decisions.map(DecisionRecord.init)
    for record in self.records { _ = link.append(record) }
    self.link = link
    end = link.end
    before = tip
    count = records.count
    heads = records.heads
    lines = records.lines
    self.origins = origins
    self.decisions = decisions
    self.applied = applied
  }

  func insert(_ db: Database) throws {
    for (number, origin) in origins { try OriginTable.insert(origin, number: number, db) }
    if !decisions.isEmpty {
      var table = try DecisionTable(db)
      let entries = decisions.indices.map { index in
        DecisionTable.Entry(
          record: records[index], subnet: decisions[index].identity.subnet, id: before.decision + Int64(index) + 1,
          applied: applied.indices.contains(index) ? applied[index] : nil)
      }
      try table.insert(entries, db)
    }
    if count > 0 {
      let pending = try db.cached("INSERT INTO pending (sequence, heads, lines) VALUES (?,?,?)")
      pending.bind(end.sequence, 1)
      pending.bind(blob: heads.span, 2)
      pending.bind(blob: lines.span, 3)
      try pending.run()
    }
    try link.insert(end, db)
  }
}
