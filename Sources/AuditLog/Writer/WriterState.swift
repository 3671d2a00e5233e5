internal import Model
internal import SQLite

/// What the writer keeps in memory between transactions; all of it can be read from the database again.
struct WriterState {
  /// Decisions of the link that more is added to, and its time.
  private struct Open {
    var decisions: [Decision] = []
    var applied: [Instant?] = []
    var alerts: [Alert] = []
    var isDryRun = false
    var time: Instant
  }

  /// What a transaction stored, to be found again.
  private struct Attempt {
    var hash: [UInt8]
    var input: UInt64
    var decisions: [Decision]
    /// The last activity after it.
    var activity: Int64
  }

  private(set) var origins = OriginTable()
  private(set) var templates = TemplateTable()
  private(set) var chain = ChainHead()
  private(set) var identity: UInt32 = 0
  var positions = PositionTable()
  /// The rows behind the last segment.
  private(set) var segment = SegmentBuilder()
  private var segments: [(segment: Segment, blocks: [PostingBlock], templates: [Int64: Int64])] = []
  /// A transaction failed since this was loaded.
  var isStale = false
  private var text = BatchText()
  private var folder = FailureFolder()
  private var open: Open?
  /// Links that the next transaction stores.
  private var made: [PreparedTransaction] = []
  /// Rules that were met, with the line that names each.
  private var rules: [(id: [UInt8], line: [UInt8])] = []
  private var knownRules: Set<[UInt8]> = []
  /// How many rows of failures are made and not stored yet.
  private(set) var added = 0
  /// Batches with activities that the next transaction stores.
  private var withActivity: [(batch: FailureBatch, names: Names)] = []
  /// The last activity that is stored.
  private var activity: Int64 = 0
  private var attempt: Attempt?
  /// What a transaction that failed would have stored. If the database turns out to end with it, it had succeeded.
  private var uncertain: Attempt?

  mutating func load(_ db: Database) throws {
    let uncertain = isStale ? attempt : nil
    self = WriterState()
    self.uncertain = uncertain
    try origins.load(db)
    try templates.load(db, origins)
    chain = try ChainHead(db)
    identity = try StoreIdentity.load(db)
    positions = try PositionTable(db)
    activity = try ActivityTable.last(db)
    try loadSegment(db)
  }

  /// Collects the rows behind the last segment again.
  private mutating func loadSegment(_ db: Database) throws {
    let removed = try Retention.removed(.failures, db)
    let last = try SegmentTable.last(db)?.last ?? 0
    let rows = try db.rows(
      "SELECT \(BatchTable.columns) FROM batch WHERE id >= ? AND rows IS NOT NULL ORDER BY id",
      try ChainSearch(.failures, db)?.link(after: max(last, removed), from: 0) ?? .max)
    while let row = try rows.next() {
      guard let batch = Batch(row) else { continue }
      var reader = batch.reader
      var decoder = RowDecoder(batch)
      while let row = reader.next(batch.rows.span) {
        let number = decoder.number(reader.index)
        try decoder.readNames(row, number: number, db)
        guard let template = templates[row.template] else { continue }
        segment.add(
          row: number, batch: batch.sequence, time: row.time, address: row.address, name: decoder.name.span,
          user: decoder.user.span, template: template, count: row.count)
      }
    }
  }

  // MARK: Links: made of batches, then stored

  /// Stores what has been added and `batch`, as links of its own. `applied`: for each decision, when the firewall had it; none at
  /// all where nothing was applied.
  mutating func commit(
    _ batch: FailureBatch, names: Names, decisions: [Decision], applied: [Instant?], isDryRun: Bool, _ db: Database
  ) throws {
    let input = Self.sum(batch)
    if let uncertain = uncertain.take(), uncertain.hash == chain.hash, uncertain.input == input,
      uncertain.decisions == decisions, uncertain.activity == activity
    {
      return
    }
    closeLink()
    let first = chain.sequence
    encode(batch, names: names, decisions: decisions, applied: applied)
    open?.isDryRun = isDryRun
    if open == nil {
      if !batch.positions.isEmpty { try positions.store(batch.positions, batch: chain.sequence, db) }
    } else {
      closeLink(positions.note(batch.positions))
    }
    try store(db)
    try positions.storeNowAndThen(after: first, chain.sequence, db)
    attempt = Attempt(hash: chain.hash, input: input, decisions: decisions, activity: activity)
  }

  /// Tells one call from another.
  private static func sum(_ batch: FailureBatch) -> UInt64 {
    var sum = UInt64(RecordSum.of(batch.bytes.span))
    for failure in batch.failures { sum = RecordSum.mix(sum ^ UInt64(bitPattern: failure.time.microseconds)) }
    return sum
  }

  /// Encodes a batch for the next transaction; touches no database.
  mutating func add(_ batch: FailureBatch, names: Names, decisions: [Decision]) {
    encode(batch, names: names, decisions: decisions, applied: [])
  }

  private mutating func encode(_ batch: FailureBatch, names: Names, decisions: [Decision], applied: [Instant?]) {
    if !batch.activities.isEmpty || !batch.sightings.isEmpty { withActivity.append((batch, names)) }
    guard !batch.failures.isEmpty || !decisions.isEmpty || !batch.alerts.isEmpty else { return }
    origins.use(names)
    openLink(decisions.first?.time ?? batch.failures.first?.time ?? batch.alerts[0].time)
    folder.fold(batch)
    for row in folder.rows {
      let failure = batch.failures[row.first]
      let last = row.first == row.last ? nil : batch.failures[row.last]
      if !append(failure, last, row.count, of: batch) {
        closeLink()
        openLink(failure.time)
        _ = append(failure, last, row.count, of: batch)
      }
      added += 1
    }
    open?.decisions += decisions
    open?.applied += applied
    open?.alerts += batch.alerts
  }

  private mutating func openLink(_ time: Instant) { if open == nil { open = Open(time: time) } }

  /// False when the link is full.
  private mutating func append(_ failure: Failure, _ last: Failure?, _ count: UInt32, of batch: FailureBatch) -> Bool {
    let bytes = batch.bytes
    let name = Self.cut(failure.name, of: bytes, to: TextLimit.name)
    let user = Self.cut(failure.user, of: bytes, to: TextLimit.user)
    let rule = Self.cut(failure.rule, of: bytes, to: TextLimit.rule)
    let line = Self.cut(failure.line, of: bytes, to: TextLimit.line)
    let lastLine = last.map { Self.cut($0.line, of: bytes, to: TextLimit.line) } ?? []
    let address = failure.name.isEmpty ? failure.address : nil
    let addressText = address.map { Array($0.description.utf8) } ?? []
    let origin = origins.number(of: failure, in: batch)
    let index = templates.find(
      origin: origin, origins[origin], weight: failure.weight, rule: rule.span, time: failure.time.microseconds,
      address: addressText.span, user: user.span, line: line.span)
    let template = templates.templates[index]
    let head = RecordHead(
      time: failure.time.microseconds, place: Self.place(failure, batch), address: address, count: count,
      last: last.map { ($0.time.microseconds, Self.place($0, batch)) })
    guard
      text.append(
        head, template, templates.values, name: name.span, user: user.span, line: line.span, lastLine: lastLine.span)
    else { return false }
    if !rule.isEmpty, knownRules.insert(Array(rule)).inserted { rules.append((Array(rule), Array(line))) }
    segment.add(
      row: chain.failure + Int64(text.count), batch: chain.sequence + 1, time: head.time, address: address,
      name: name.span, user: user.span, template: template, count: count)
    return true
  }

  /// At most `limit` bytes; what is cut ends in `[…]`.
  static func cut(_ range: ByteRange, of bytes: [UInt8], to limit: Int) -> ArraySlice<UInt8> {
    guard range.count > limit else { return bytes[range.indices] }
    return bytes[range.indices].prefix(limit) + Array("[…]".utf8)
  }

  /// The file offset, or the sequence number in the journal's cursor.
  private static func place(_ failure: Failure, _ batch: FailureBatch) -> Int64 {
    guard !failure.cursor.isEmpty else { return Int64(truncatingIfNeeded: failure.offset) }
    return batch.withBytes(failure.cursor) { JournalCursor(parsing: $0)?.sequence ?? 0 }
  }

  private mutating func closeLink(_ positions: [UInt8] = []) {
    guard let open = open.take() else { return }
    if text.count > 0 { text.close() }
    let transaction = PreparedTransaction(
      after: chain, time: open.time, text, decisions: open.decisions, applied: open.applied,
      alerts: open.alerts, isDryRun: open.isDryRun, positions: positions)
    chain = transaction.end
    made.append(transaction)
    text.removeAll()
    if segment.isFull { finishSegment() }
  }

  // MARK: The database

  /// Stores what has been added.
  mutating func store(_ db: Database) throws {
    closeLink()
    try origins.store(db)
    try templates.store(last: chain.failure, db)
    for rule in rules { try RuleTable.store(rule.id, of: rule.line.span, db) }
    rules.removeAll()
    for transaction in made { try transaction.insert(db) }
    made.removeAll(keepingCapacity: true)
    if !withActivity.isEmpty {
      for (batch, names) in withActivity { try ActivityTable.insert(batch, names: names, db) }
      withActivity.removeAll()
      activity = try ActivityTable.last(db)
    }
    for (segment, blocks, templates) in segments {
      try SegmentTable.insert(segment, blocks, db)
      for (template, last) in templates.sorted(by: { $0.key < $1.key }) {
        try db.run("UPDATE template SET last = ? WHERE id = ?", last, template)
      }
    }
    segments.removeAll()
    added = 0
  }

  /// Makes a segment of the rows that are in none, however few they are; `store` stores it.
  mutating func finishSegment() {
    guard segment.rows > 0 else { return }
    let (finished, blocks) = segment.finish()
    segments.append((finished, blocks, segment.lastRows))
    segment.removeAll()
  }

  mutating func record(_ event: AuditEvent, _ db: Database) throws {
    closeLink()
    try store(db)
    var link = ChainLink(after: chain, time: event.time)
    let id = link.append(event)
    try EventTable.insert(event, id: id, db)
    chain = link.end
    try BatchTable.insert(link, chain, BatchText(), positions: [], db)
  }
}
