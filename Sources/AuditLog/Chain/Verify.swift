internal import Model
internal import SQLite

extension AuditReader {
  /// The end of the chain, to be kept elsewhere. Nil while the store is empty.
  public func checkpoint() throws -> Checkpoint? {
    try read { db, _ in
      let tip = try ChainHead(db)
      return tip.sequence == 0 ? nil : Checkpoint(transaction: tip.sequence, hash: tip.hash)
    }
  }

  /// Works the whole chain out again and names the first row that was changed, removed or inserted; with a checkpoint, is
  /// it still part of the chain? `progress` is lent the number of failures checked now and then.
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
  private let links: Rows
  private let failures: Rows
  private let decisions: Rows
  private let events: Rows
  private let origins: Rows
  private var nextFailure: Row?
  private var nextDecision: Row?
  private var nextEvent: Row?
  private var nextOrigin: Row?
  private var tip = ChainHead()

  init(_ db: Database, _ checkpoint: Checkpoint?) throws {
    wanted = checkpoint
    if checkpoint != nil { result.checkpointFound = false }
    links = try db.rows(
      """
      SELECT sequence, time, origin, failure, decision, event, sums, hash, failures, decisions, events,
        heads, lines
      FROM chain LEFT JOIN pending USING (sequence) ORDER BY sequence
      """)
    failures = try db.rows("SELECT \(FailureRow.columns) FROM failure f \(FailureRow.join) ORDER BY f.id")
    decisions = try db.rows(DecisionRecord.select + " ORDER BY id")
    events = try db.rows(EventRecord.select + " ORDER BY id")
    origins = try db.rows("SELECT id, jail, filter, pattern, file, source, journal FROM origin ORDER BY id")
    let found = try db.rows("SELECT kind, through FROM removed")
    while let row = try found.next() {
      result.removedThrough[row[0]] = row[1] as Int64
    }
    nextFailure = try failures.next()
    nextDecision = try decisions.next()
    nextEvent = try events.next()
    nextOrigin = try origins.next()
  }

  mutating func run(_ lookups: inout Lookups, _ db: Database, _ progress: (Int) -> Void) throws {
    var first = true
    while let row = try links.next() {
      var stored = ChainHead()
      stored.sequence = row[0]
      stored.origin = row[2]
      stored.failure = row[3]
      stored.decision = row[4]
      stored.event = row[5]
      stored.hash = row[7]
      let time = Instant(microseconds: row[1])
      if first, let through = result.removedThrough["transaction"], stored.sequence == through {
        // What was before is gone with all its rows; this one's hash is where the rest hangs.
        tip = stored
        first = false
        meet(tip)
        // Origins are never removed; the failures that are left vouch for theirs.
        while let row = nextOrigin, (row[0] as Int64) <= tip.origin { nextOrigin = try origins.next() }
        continue
      }
      first = false
      guard stored.sequence == tip.sequence + 1 else {
        let kind: Verification.Problem.Kind = stored.sequence > tip.sequence + 1 ? .removed : .inserted
        return report(kind, "transaction \(kind == .removed ? tip.sequence + 1 : stored.sequence)", stored, time)
      }
      guard try check(row, stored, time, &lookups, db) else { return }
      meet(tip)
      result.transactions += 1
      if result.transactions % 64 == 0 { progress(result.failures) }
    }
    // Rows that no transaction added.
    let last = tip
    if let row = nextFailure { return report(.inserted, "failure \(row[0] as Int64)", last, nil) }
    if let row = nextDecision { return report(.inserted, "decision \(row[0] as Int64)", last, nil) }
    if let row = nextEvent { return report(.inserted, "event \(row[0] as Int64)", last, nil) }
    if let row = nextOrigin { return report(.inserted, "origin \(row[0] as Int64)", last, nil) }
    let stray: Int64? = try db.first(
      "SELECT min(sequence) FROM pending WHERE sequence NOT IN (SELECT sequence FROM chain)")
    if let stray { return report(.inserted, "transaction \(stray)", last, nil) }
    if tip.sequence > 0 { result.checkpoint = Checkpoint(transaction: tip.sequence, hash: tip.hash) }
  }

  private mutating func meet(_ tip: ChainHead) {
    if let wanted, wanted.transaction == tip.sequence { result.checkpointFound = wanted.hash == tip.hash }
  }

  private mutating func report(_ kind: Verification.Problem.Kind, _ row: String, _ at: ChainHead, _ time: Instant?) {
    result.problem = Verification.Problem(kind: kind, row: row, transaction: at.sequence, time: time)
  }

  /// One transaction; false when a problem was found.
  private mutating func check(
    _ row: Row, _ stored: ChainHead, _ time: Instant, _ lookups: inout Lookups, _ db: Database
  ) throws -> Bool {
    var link = ChainLink(after: tip, stored: stored, time: time)
    let sums = row[6] as [UInt8]
    guard
      stored.failure >= tip.failure, stored.decision >= tip.decision, stored.event >= tip.event,
      stored.origin >= tip.origin
    else {
      report(.changed, "transaction \(stored.sequence)", stored, time)
      return false
    }
    if let heads = row[11] as [UInt8]?, let lines = row[12] as [UInt8]? {
      // Not yet rows: the bytes themselves.
      let (heads, lines) = (Array(heads), Array(lines))
      link.failures.sums = BatchSums.of(heads.span, lines.span)
      link.failures.digest = BatchEncoder.digest(heads.span, lines.span)
      let count = link.failures.sums.count / 4
      guard Int64(count) == stored.failure - tip.failure else {
        report(.changed, "failure \(tip.failure + Int64(count) + 1)", stored, time)
        return false
      }
      result.failures += count
    } else if let digest = row[8] as [UInt8]? {
      link.failures.digest = Array(digest)
      link.failures.sums = Array(sums.prefix(4 * Int(clamping: stored.failure - tip.failure)))
    } else {
      var records = BatchEncoder()
      for number in tip.failure..<stored.failure {
        guard let row = nextFailure else {
          report(.removed, "failure \(number + 1)", stored, time)
          return false
        }
        guard try expect("failure", row[0], number + 1, stored, time) else { return false }
        try FailureRow(row, &lookups, db).write(to: &records)
        nextFailure = try failures.next()
        result.failures += 1
      }
      link.failures.sums = records.sums
      link.failures.digest = records.count == 0 ? [] : records.digest
    }
    if let digest = row[9] as [UInt8]? {
      link.decisions.digest = Array(digest)
      link.decisions.sums = Self.part(sums, tip.failure, stored.failure, stored.decision - tip.decision, skip: 0)
    } else {
      for number in tip.decision..<stored.decision {
        guard let row = nextDecision else {
          report(.removed, "decision \(number + 1)", stored, time)
          return false
        }
        guard try expect("decision", row[0], number + 1, stored, time) else { return false }
        // Searches go by address and prefix, which follow from the identity.
        let subnet = Identity(row[4] as String).subnet
        guard row.address(11) == subnet?.base, row[12] as Int64? == subnet.map({ Int64($0.length) })
        else {
          report(.changed, "decision \(number + 1)", stored, time)
          return false
        }
        link.write(DecisionRecord(row))
        nextDecision = try decisions.next()
        result.decisions += 1
      }
    }
    if let digest = row[10] as [UInt8]? {
      link.events.digest = Array(digest)
      link.events.sums = Self.part(
        sums, tip.failure, stored.failure, stored.event - tip.event, skip: stored.decision - tip.decision)
    } else {
      for number in tip.event..<stored.event {
        guard let row = nextEvent else {
          report(.removed, "event \(number + 1)", stored, time)
          return false
        }
        guard try expect("event", row[0], number + 1, stored, time) else { return false }
        link.write(EventRecord(row))
        nextEvent = try events.next()
        result.events += 1
      }
    }
    for number in tip.origin..<stored.origin {
      guard let row = nextOrigin else {
        report(.removed, "origin \(number + 1)", stored, time)
        return false
      }
      guard try expect("origin", row[0], number + 1, stored, time) else { return false }
      link.write(
        Origin(jail: row[1], filter: row[2], pattern: row[3], file: row[4], source: row[5], journal: row[6]),
        number: row[0])
      nextOrigin = try origins.next()
    }
    return compare(link, sums, stored, time)
  }

  private mutating func compare(_ link: ChainLink, _ sums: [UInt8], _ stored: ChainHead, _ time: Instant) -> Bool {
    var at = 0
    let parts = [
      ("failure", tip.failure, link.failures), ("decision", tip.decision, link.decisions),
      ("event", tip.event, link.events),
      ("origin", tip.origin, link.origins),
    ]
    for (kind, before, part) in parts {
      for i in 0..<part.sums.count / 4 {
        guard at + 4 <= sums.count else {
          report(.changed, "transaction \(stored.sequence)", stored, time)
          return false
        }
        guard sums[at..<at + 4] == part.sums[4 * i..<4 * i + 4] else {
          report(.changed, "\(kind) \(before + Int64(i) + 1)", stored, time)
          return false
        }
        at += 4
      }
    }
    let hash = link.hash(sums: sums)
    guard stored.hash.isEmpty || stored.hash == hash else {
      // Every row agrees with its sum: the sums were changed with them, or this link was.
      report(.changed, "transaction \(stored.sequence)", stored, time)
      return false
    }
    tip = stored
    tip.hash = hash
    return true
  }

  /// Is the row that comes next the one that should?
  private mutating func expect(
    _ kind: String, _ number: Int64, _ expected: Int64, _ stored: ChainHead, _ time: Instant
  ) throws -> Bool {
    if number > expected { report(.removed, "\(kind) \(expected)", stored, time) }
    if number < expected { report(.inserted, "\(kind) \(number)", stored, time) }
    return number == expected
  }

  private static func part(_ sums: [UInt8], _ before: Int64, _ after: Int64, _ count: Int64, skip: Int64) -> [UInt8] {
    let start = 4 * Int(clamping: after - before + skip)
    return Array(sums.dropFirst(start).prefix(4 * Int(clamping: count)))
  }
}
