internal import GRDB
internal import Model

/// What the writer keeps in memory between transactions; all of it can be read from the database again.
struct WriterState {
  var origins = OriginTable()
  var encoder = FailureEncoder()
  var chain = ChainTip()
  var shapes = ShapeTable()
  var unsettled = 0
  /// A transaction failed since this was loaded.
  var stale = false
  private typealias Attempt = (hash: [UInt8], sums: [UInt8], decisions: [Decision])
  /// What the last transaction stores.
  private var attempt: Attempt?
  /// What a transaction that failed would have stored. If the database turns out to end with it, it had succeeded.
  private var uncertain: Attempt?

  mutating func load(_ db: Database) throws {
    uncertain = stale ? attempt : nil
    try origins.load(db)
    try shapes.load(db)
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

  /// `applied`: for each decision, when the firewall had it; none at all where nothing was applied.
  mutating func commit(
    _ batch: FailureBatch, names: Names, decisions: [Decision], applied: [Instant?], _ db: Database
  ) throws {
    if !batch.failures.isEmpty || !decisions.isEmpty {
      origins.use(names)
      origins.begin()
      var origins = origins
      self.origins = OriginTable()
      encoder.encode(batch) { origins.reference(of: $0, in: batch) }
      self.origins = origins
      let uncertain = uncertain.take()
      if let uncertain, uncertain.hash == chain.hash, uncertain.sums == encoder.records.sums,
        uncertain.decisions == decisions
      {
        return
      }
      var link = ChainLink(after: chain, time: decisions.first?.time ?? batch.failures[0].time)
      for (number, origin) in origins.added {
        link.append(origin, number: number)
        try OriginTable.insert(origin, number: number, db)
      }
      link.append(encoder.records)
      if !decisions.isEmpty {
        let table = try DecisionTable(db)
        for (index, decision) in decisions.enumerated() {
          let record = DecisionRecord(decision)
          try table.insert(
            record, decision.identity.subnet, id: link.append(record),
            applied: applied.indices.contains(index) ? applied[index] : nil, db)
        }
      }
      if encoder.records.count > 0 {
        let pending = try BoundStatement(db, sql: "INSERT INTO pending (sequence, heads, lines) VALUES (?,?,?)")
        pending.bind(link.tip.sequence, 1)
        pending.bind(blob: encoder.records.heads.span, 2)
        pending.bind(blob: encoder.records.lines.span, 3)
        try pending.run(db)
      }
      let next = try link.insert(db)
      attempt = (next.hash, encoder.records.sums, decisions)
      unsettled += encoder.records.count
      chain = next
    }
    try PositionTable.store(batch.positions, db)
  }

  mutating func record(_ event: AuditEvent, _ db: Database) throws {
    var link = ChainLink(after: chain, time: event.time)
    let id = link.append(event)
    try EventTable.insert(event, id: id, db)
    chain = try link.insert(db)
  }
}
