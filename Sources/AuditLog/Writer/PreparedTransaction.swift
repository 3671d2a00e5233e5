internal import Model
internal import SQLite

/// A link of the chain with the rows that it covers, worked out and ready to be stored.
struct PreparedTransaction {
  let link: ChainLink
  /// The chain's end after it.
  let end: ChainHead
  private let text: BatchText
  private let decisions: [DecisionTable.Entry]
  private let alerts: [(id: Int64, alert: Alert)]
  private let positions: [UInt8]

  /// - Parameters:
  ///   - text: closed.
  ///   - applied: for each decision, when the firewall had it; none at all where nothing was applied.
  ///   - isDryRun: nothing is applied at all.
  ///   - positions: how far sources are read with it: `PositionTable.note`.
  init(
    after head: ChainHead, time: Instant, _ text: BatchText, decisions: [Decision], applied: [Instant?],
    alerts: [Alert] = [], isDryRun: Bool, positions: [UInt8]
  ) {
    var link = ChainLink(after: head, time: time)
    link.append(text)
    self.decisions = decisions.enumerated().map { index, decision in
      let record = DecisionRecord(
        decision, applied: applied.indices.contains(index) ? applied[index] : nil, isDryRun: isDryRun)
      return DecisionTable.Entry(record: record, subnet: decision.identity.subnet, id: link.append(record))
    }
    self.alerts = alerts.map { (link.append(AuditEvent($0)), $0) }
    self.link = link
    self.text = text
    self.positions = positions
    end = link.end
  }

  func insert(_ db: Database) throws {
    if !decisions.isEmpty {
      var table = try DecisionTable(db)
      try table.insert(decisions, db)
    }
    for (id, alert) in alerts {
      try EventTable.insert(AuditEvent(alert), id: id, db)
      try ActivityTable.insert(alert, id: id, db)
    }
    try BatchTable.insert(link, end, text, positions: positions, db)
  }
}
