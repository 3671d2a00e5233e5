internal import Model
internal import SQLite

extension AuditReader {
  /// The end of the chain, to be kept elsewhere. Nil while the store is empty.
  public func checkpoint() throws -> Checkpoint? {
    try read { db, _ in
      let head = try ChainHead(db)
      return head.sequence == 0 ? nil : Checkpoint(transaction: head.sequence, hash: head.hash)
    }
  }

  /// Works the whole chain out again and names the first row that was changed, removed or inserted, also of what questions
  /// are answered by beside the rows (the index, bans, views); with a checkpoint, is it still part of the chain? `progress` is
  /// lent the number of rows of failures checked now and then.
  public func verify(against checkpoint: Checkpoint? = nil, progress: (Int) -> Void = { _ in }) throws -> Verification {
    try read { db, lookups in
      var verifier = try Verifier(db, checkpoint)
      try verifier.run(&lookups, db, progress)
      return verifier.result
    }
  }
}

/// Walks the chain and the rows side by side.
private struct Verifier {
  var result = Verification()
  private let wanted: Checkpoint?
  private let decisions: Rows
  private let events: Rows
  private var nextDecision: Row?
  private var nextEvent: Row?
  private var index: IndexCheck
  private var bans = BanCheck()
  private var rawRows = 0
  private var head = ChainHead()
  private var isFirst = true

  init(_ db: Database, _ checkpoint: Checkpoint?) throws {
    wanted = checkpoint
    if checkpoint != nil { result.checkpointFound = false }
    decisions = try db.rows(DecisionRecord.select + " ORDER BY id")
    events = try db.rows(EventRecord.select + " ORDER BY id")
    let removed = try db.rows("SELECT kind, through FROM removed")
    while let row = try removed.next() { result.removedThrough[row[0]] = row[1] as Int64 }
    index = try IndexCheck(db)
    nextDecision = try decisions.next()
    nextEvent = try events.next()
  }

  mutating func run(_ lookups: inout Lookups, _ db: Database, _ progress: (Int) -> Void) throws {
    if let problem = try SchemaCheck.problem(db) {
      report(problem, head, nil)
      return
    }
    let links = try db.rows("SELECT \(StoredLink.columns("failures")) FROM link ORDER BY id")
    while let row = try links.next() { guard try check(StoredLink(row), nil, &lookups, db) else { return } }
    let batches = try db.rows(
      "SELECT \(StoredLink.columns("NULL")), \(BatchTable.columns), row_sums FROM batch ORDER BY id")
    while let row = try batches.next() {
      let batch = Batch(row, from: StoredLink.count)
      guard try check(StoredLink(row), batch.map { ($0, row[StoredLink.count + 10]) }, &lookups, db) else { return }
      if result.transactions % 64 == 0 { progress(result.failures) }
    }
    try finish(db)
  }

  /// What no transaction added, and what is worked out from all of them.
  private mutating func finish(_ db: Database) throws {
    var problem: IndexCheck.Problem?
    if let row = nextDecision {
      problem = (.inserted, "decision \(row[0] as Int64)")
    } else if let row = nextEvent {
      problem = (.inserted, "event \(row[0] as Int64)")
    } else if try db.first("SELECT count(*) FROM raw") != rawRows {
      problem = (.changed, "the table raw")
    } else {
      problem =
        try index.finish(db) ?? bans.problem(result.removedThrough["decision"] ?? 0, db) ?? SchemaCheck.indexProblem(db)
    }
    if let problem {
      report(problem, head, nil)
    } else if head.sequence > 0 {
      result.checkpoint = Checkpoint(transaction: head.sequence, hash: head.hash)
    }
  }

  /// One transaction; false when a problem was found.
  private mutating func check(
    _ stored: StoredLink, _ failures: (batch: Batch, sums: [UInt8])?, _ lookups: inout Lookups, _ db: Database
  ) throws -> Bool {
    defer { isFirst = false }
    if isFirst, stored.head.sequence == result.removedThrough["transaction"] {
      // What was before is gone with all its rows; this one's hash is where the rest hangs.
      head = stored.head
      meet()
      return true
    }
    guard stored.head.sequence == head.sequence + 1 else {
      let isGap = stored.head.sequence > head.sequence + 1
      let number = isGap ? head.sequence + 1 : stored.head.sequence
      return report((isGap ? .removed : .inserted, "transaction \(number)"), stored.head, stored.time)
    }
    guard RecordKind.allCases.allSatisfy({ stored.head[$0] >= head[$0] }) else {
      return report((.changed, "transaction \(stored.head.sequence)"), stored.head, stored.time)
    }
    var link = ChainLink(after: head, stored: stored.head, time: stored.time)
    guard try checkFailures(stored, failures, &link, &lookups, db), try checkDecisions(stored, &link),
      try checkEvents(stored, &link)
    else { return false }
    guard
      compare(stored.sums, [("decision", head.decision, link.decisions), ("event", head.event, link.events)], stored)
    else { return false }
    let hash = link.hash(sums: stored.sums)
    guard stored.head.hash.isEmpty || stored.head.hash == hash else {
      // Every row agrees with its sum: the sums were changed with them, or this link was.
      return report((.changed, "transaction \(stored.head.sequence)"), stored.head, stored.time)
    }
    head = stored.head
    head.hash = hash
    meet()
    result.transactions += 1
    return true
  }

  private mutating func checkFailures(
    _ stored: StoredLink, _ failures: (batch: Batch, sums: [UInt8])?, _ link: inout ChainLink,
    _ lookups: inout Lookups, _ db: Database
  ) throws -> Bool {
    let count = stored.head.failure - head.failure
    guard let (batch, sums) = failures else {
      if let digest = stored.failures {
        link.failures = .init(digest: digest, sums: [])
      } else if count > 0 {
        return report((.removed, "failure \(head.failure + 1)"), stored.head, stored.time)
      }
      return true
    }
    guard batch.numbers == head.failure + 1...max(stored.head.failure, head.failure + 1), count > 0 else {
      return report((.changed, "transaction \(stored.head.sequence)"), stored.head, stored.time)
    }
    var decoder = RowDecoder(batch)
    let found = try BatchDigest(batch, &lookups, db) { row, place, template in
      if row.isRaw { rawRows += 1 }
      let number = decoder.number(place)
      try decoder.readNames(row, number: number, db)
      try index.add(row, number, decoder, template)
    }
    result.failures += found.rows
    link.failures = .init(digest: found.digest, sums: found.sums)
    guard compare(sums, [("failure", head.failure, link.failures)], stored) else { return false }
    guard found.isWhole, Int64(found.rows) == count else {
      return report((.changed, "failure \(head.failure + Int64(found.rows) + 1)"), stored.head, stored.time)
    }
    guard found.rows == 0 || found.times == batch.times else {
      return report((.changed, "the times of transaction \(stored.head.sequence)"), stored.head, stored.time)
    }
    return true
  }

  private mutating func checkDecisions(_ stored: StoredLink, _ link: inout ChainLink) throws -> Bool {
    if let digest = stored.decisions {
      link.decisions = .init(
        digest: digest, sums: Array(stored.sums.prefix(4 * Int(stored.head.decision - head.decision))))
      return true
    }
    for number in head.decision..<stored.head.decision {
      guard let row = nextDecision, expect("decision", row[0], number + 1, stored) else {
        return nextDecision == nil
          ? report((.removed, "decision \(number + 1)"), stored.head, stored.time) : false
      }
      let record = DecisionRecord(row)
      // Searches go by address and prefix, which follow from the identity.
      let subnet = Identity(record.identity).subnet
      guard row.address(DecisionRecord.addressColumn) == subnet?.base,
        row[DecisionRecord.addressColumn + 1] as Int64? == subnet.map({ Int64($0.length) })
      else { return report((.changed, "decision \(number + 1)"), stored.head, stored.time) }
      link.write(record)
      bans.add(record, subnet, number + 1)
      nextDecision = try decisions.next()
      result.decisions += 1
    }
    return true
  }

  private mutating func checkEvents(_ stored: StoredLink, _ link: inout ChainLink) throws -> Bool {
    if let digest = stored.events {
      link.events = .init(digest: digest, sums: Array(stored.sums.suffix(4 * Int(stored.head.event - head.event))))
      return true
    }
    for number in head.event..<stored.head.event {
      guard let row = nextEvent, expect("event", row[0], number + 1, stored) else {
        return nextEvent == nil ? report((.removed, "event \(number + 1)"), stored.head, stored.time) : false
      }
      link.write(EventRecord(row))
      nextEvent = try events.next()
      result.events += 1
    }
    return true
  }

  /// Names the first row that does not agree with its sum.
  private mutating func compare(
    _ sums: [UInt8], _ parts: [(kind: String, before: Int64, part: ChainLink.Part)], _ stored: StoredLink
  ) -> Bool {
    var at = 0
    for (kind, before, part) in parts {
      for i in 0..<part.sums.count / 4 {
        guard at + 4 <= sums.count else {
          return report((.changed, "transaction \(stored.head.sequence)"), stored.head, stored.time)
        }
        guard sums[at..<at + 4] == part.sums[4 * i..<4 * i + 4] else {
          return report((.changed, "\(kind) \(before + Int64(i) + 1)"), stored.head, stored.time)
        }
        at += 4
      }
    }
    return true
  }

  /// Is the row that comes next the one that should?
  private mutating func expect(_ kind: String, _ number: Int64, _ expected: Int64, _ stored: StoredLink) -> Bool {
    if number > expected { report((.removed, "\(kind) \(expected)"), stored.head, stored.time) }
    if number < expected { report((.inserted, "\(kind) \(number)"), stored.head, stored.time) }
    return number == expected
  }

  private mutating func meet() {
    if let wanted, wanted.transaction == head.sequence { result.checkpointFound = wanted.hash == head.hash }
  }

  @discardableResult
  private mutating func report(
    _ problem: (kind: Verification.Problem.Kind, row: String), _ at: ChainHead, _ time: Instant?
  ) -> Bool {
    result.problem = Verification.Problem(
      kind: problem.kind, row: problem.row, transaction: at.sequence, time: time)
    return false
  }
}

/// A transaction's numbers, hash and digests.
private struct StoredLink {
  let head: ChainHead
  let time: Instant
  let sums: [UInt8]
  let failures: [UInt8]?
  let decisions: [UInt8]?
  let events: [UInt8]?

  static let count = 10

  /// `failures`: where the digest of removed failures is.
  static func columns(_ failures: String) -> String {
    "id, hash, failure, decision, event, time, sums, \(failures), decisions, events"
  }

  init(_ row: Row) {
    head = ChainHead(row)
    time = Instant(microseconds: row[5])
    sums = row[6]
    failures = row[7]
    decisions = row[8]
    events = row[9]
  }
}
