internal import Foundation
internal import GRDB
internal import Model

/// What the writer keeps in memory between transactions; all of it can be read from the database again.
struct WriterState {
  var origins = OriginTable()
  var encoder = FailureEncoder()
  var chain = ChainTip()
  var unsettled = 0
  /// A transaction failed since this was loaded.
  var stale = false
  /// What the failed transaction would have stored; if the database turns out to end with it, it had succeeded.
  private var attempt: (hash: [UInt8], records: [UInt8], decisions: [Decision])?

  mutating func load(_ db: Database) throws {
    try origins.load(db)
    chain = try ChainTip(db)
    unsettled =
      try Int.fetchOne(
        db,
        sql: """
          SELECT (SELECT max(failure) FROM chain) - coalesce(
            (SELECT max(failure) FROM chain WHERE sequence < (SELECT min(sequence) FROM pending)), 0)
          WHERE EXISTS (SELECT 1 FROM pending)
          """) ?? 0
    stale = false
  }

  mutating func commit(
    _ batch: FailureBatch, names: Names, decisions: [Decision], applied: Instant?, _ db: Database
  ) throws {
    if !batch.failures.isEmpty || !decisions.isEmpty {
      origins.use(names)
      origins.begin()
      var origins = origins
      self.origins = OriginTable()
      encoder.encode(batch) { origins.number(of: $0, in: batch) }
      self.origins = origins
      if let attempt, attempt.hash == chain.hash, attempt.records == encoder.writer.bytes,
        attempt.decisions == decisions
      {
        self.attempt = nil
        return
      }

      var link = ChainLink(after: chain, time: decisions.first?.time ?? batch.failures[0].time)
      for (number, origin) in origins.added {
        link.append(origin, number: number)
        try OriginTable.insert(origin, number: number, db)
      }
      link.append(records: encoder)
      for decision in decisions {
        let id = link.append(decision)
        try DecisionTable.insert(decision, id: id, applied: applied, db)
      }
      let next = link.finished()
      attempt = (next.hash, encoder.writer.bytes, decisions)
      if encoder.records > 0 {
        try db.cachedStatement(sql: "INSERT INTO pending (sequence, records) VALUES (?, ?)")
          .execute(arguments: [next.sequence, Data(encoder.writer.bytes)])
      }
      try link.insert(db)
      unsettled += encoder.records
      chain = next
    }
    try PositionTable.store(batch.positions, db)
  }

  mutating func record(_ event: AuditEvent, _ db: Database) throws {
    var link = ChainLink(after: chain, time: event.time)
    let id = link.append(event)
    try EventTable.insert(event, id: id, db)
    let next = link.finished()
    try link.insert(db)
    chain = next
  }
}
