internal import Model
internal import SQLite

/// What the writer keeps in memory between transactions; all of it can be read from the database again.
struct WriterState {
  var origins = OriginTable()
  var encoder = FailureEncoder()
  var chain = ChainHead()
  var identity: UInt32 = 0
  var shapes = ShapeTable()
  var unindexed = 0
  /// A transaction failed since this was loaded.
  var stale = false
  /// What is encoded belongs to a link that more is added to.
  private var open: (decisions: [Decision], applied: [Instant?], time: Instant)?
  /// Links that the next transaction stores.
  private var made: [PreparedTransaction] = []
  /// How many failures are encoded and not stored yet.
  private(set) var added = 0
  private typealias Attempt = (hash: [UInt8], sums: [UInt8], decisions: [Decision])
  /// What the last transaction stores.
  private var attempt: Attempt?
  /// What a transaction that failed would have stored. If the database turns out to end with it, it had succeeded.
  private var uncertain: Attempt?

  /// A link with more failures is closed: `index` and those who read what is pending take it as a whole.
  static let linkSize = 8192

  mutating func load(_ db: Database) throws {
    uncertain = stale ? attempt : nil
    (open, made, added) = (nil, [], 0)
    try origins.load(db)
    try shapes.load(db)
    chain = try ChainHead(db)
    identity = try StoreIdentity.load(db)
    unindexed =
      try db.first(
        """
        SELECT (SELECT max(failure) FROM chain) - coalesce(
          (SELECT max(failure) FROM chain WHERE sequence < (SELECT min(sequence) FROM pending)), 0)
        WHERE EXISTS (SELECT 1 FROM pending)
        """) as Int? ?? 0
    stale = false
  }

  /// Stores what has been added and `batch`, as a link of its own. `applied`: for each decision, when the firewall had it;
  /// none at all where nothing was applied.
  mutating func commit(
    _ batch: FailureBatch, names: Names, decisions: [Decision], applied: [Instant?], _ db: Database
  ) throws {
    closeLink()
    let before = added
    encode(batch, names: names, decisions: decisions, applied: applied)
    if open != nil, let uncertain = uncertain.take(), uncertain.hash == chain.hash,
      uncertain.sums == encoder.records.sums, uncertain.decisions == decisions
    {
      (open, added) = (nil, before)
      return
    }
    try store(db)
    try PositionTable.store(batch.positions, db)
  }

  // MARK: Links: made of batches, then stored

  /// Encodes a batch for the next transaction; touches no database.
  mutating func add(_ batch: FailureBatch, names: Names, decisions: [Decision]) {
    encode(batch, names: names, decisions: decisions, applied: [])
    if encoder.records.count >= Self.linkSize { closeLink() }
  }

  private mutating func encode(_ batch: FailureBatch, names: Names, decisions: [Decision], applied: [Instant?]) {
    guard !batch.failures.isEmpty || !decisions.isEmpty else { return }
    origins.use(names)
    if open == nil {
      open = ([], [], decisions.first?.time ?? batch.failures[0].time)
      origins.begin()
      encoder.begin()
    }
    let before = encoder.records.count
    // Taken out while it is lent, and put back.
    var origins = origins
    self.origins = OriginTable()
    encoder.add(batch) { origins.reference(of: $0, in: batch) }
    self.origins = origins
    open!.decisions += decisions
    open!.applied += applied
    added += encoder.records.count - before
  }

  private mutating func closeLink() {
    guard let open = open.take() else { return }
    let link = PreparedTransaction(
      after: chain, time: open.time, origins: origins.added, records: encoder.records, decisions: open.decisions,
      applied: open.applied)
    chain = link.end
    made.append(link)
  }

  /// Stores what has been added.
  mutating func store(_ db: Database) throws {
    closeLink()
    for link in made {
      try link.insert(db)
      unindexed += link.count
    }
    if let last = made.last { attempt = (last.end.hash, last.link.failures.sums, last.decisions) }
    made.removeAll(keepingCapacity: true)
    added = 0
  }

  mutating func record(_ event: AuditEvent, _ db: Database) throws {
    var link = ChainLink(after: chain, time: event.time)
    let id = link.append(event)
    try EventTable.insert(event, id: id, db)
    chain = link.end
    try link.insert(chain, db)
  }
}
