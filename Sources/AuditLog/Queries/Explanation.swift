public import Model
internal import SQLite

/// Everything that is known about one id: each ban with the lines that led to it and how it ended, and what it has done
/// since.
public struct Explanation: Hashable, Sendable {
  public struct BanStory: Hashable, Sendable {
    public var jail: String
    public var identity: Identity
    public var since: Instant
    public var until: Instant?
    public var count: Int
    /// Which ban of this id it was, from 1.
    public var number: Int
    /// Why it began: `limit`, `escalated`, `operator`, `fleet`, `reconciled`; who, and by which command; of `limit`, what of the id
    /// was counted by itself (`user alice`).
    public var cause: String
    public var uid: UInt32?
    public var command: String
    /// When the firewall had it; nil: never (a dry run, or it was over when it was found).
    public var applied: Instant?
    /// Did a dry run decide it?
    public var isDryRun: Bool
    /// When and why it ended: `expired`, `operator`, `fleet`, `reconciled`, `replaced` (by a later ban). Nil: in force, or over by
    /// its time without anybody watching.
    public var ended: Instant?
    public var endCause: String
    public var endUID: UInt32?
    public var endCommand: String
    /// The failures in the window, oldest first: those that made the count. The last one tipped the scale.
    public var failures: [AuditRow]
    /// The bans for which all of the block was banned (`escalated`), oldest first.
    public var members: [Member] = []
    /// Extensions of the ban.
    public var extensions: [AuditRow]
  }

  /// A ban that counted for the ban of its block.
  public struct Member: Hashable, Sendable {
    public var identity: Identity
    public var since: Instant
    public var count: Int
  }

  public var identity: Identity
  /// Newest first.
  public var bans: [BanStory]
  /// How many bans there were; `bans` holds the newest.
  public var banCount: Int
  /// The newest failures, newest first.
  public var recent: [AuditRow]
  /// All failures that are stored, by jail.
  public var jails: [JailCount]

  public struct JailCount: Hashable, Sendable {
    public var jail: String
    public var failures: Int
    public var first: Instant
    public var last: Instant
  }

  /// Bans that are in force at a moment.
  public func inForce(at time: Instant) -> [BanStory] {
    bans.filter { $0.ended == nil && ($0.until.map { $0 > time } ?? true) }
  }
}

extension AuditFilter {
  /// Of the lines of an id those of a part (`Decision.part`). A name that was cut is not looked for.
  fileprivate mutating func add(part: String) {
    guard let space = part.firstIndex(of: " "), part.utf8.count < 200 else { return }
    let text = String(part[part.index(after: space)...])
    if part.hasPrefix("user ") { user = text } else { self.text = text }
  }
}

extension AuditReader {
  /// Why `identity` was banned, when, by which lines, and why it ended; what is known of it where it was not. An address
  /// finds the bans of blocks that contain it.
  public func explain(_ identity: Identity, bans limit: Int = 10, recent: Int = 20) throws -> Explanation {
    var result = Explanation(identity: identity, bans: [], banCount: 0, recent: [], jails: [])
    (result.bans, result.banCount) = try banStories(of: identity, limit: limit)
    for i in result.bans.indices {
      let ban = result.bans[i]
      var filter = AuditFilter()
      filter.identity = ban.identity
      filter.jail = ban.jail
      if ban.cause == "limit" {
        filter.kinds = [.failure]
        filter.add(part: ban.command)
        var counted = 0
        let cursor = AuditCursor(time: ban.since, rank: 1, number: 0)
        try forEach(filter, before: cursor) { row in
          result.bans[i].failures.append(row)
          counted += row.count * row.weight
          return counted < ban.count && result.bans[i].failures.count < 1000
        }
        result.bans[i].failures.reverse()
      }
      if ban.cause == "escalated" { result.bans[i].members = try members(of: ban) }
      filter.kinds = [.ban]
      filter.since = ban.since
      if let end = ban.ended, end > ban.since { filter.until = end }
      try forEach(filter) { row in
        if row.action == "extend" { result.bans[i].extensions.append(row) }
        return true
      }
      result.bans[i].extensions.reverse()
    }
    var filter = AuditFilter()
    filter.identity = identity
    filter.kinds = [.failure]
    result.recent = try page(filter, limit: recent).rows
    result.jails = try counts(filter)
    return result
  }

  /// What `identity` weighs in the window of `jail` that began at `since`: how close it is to a ban. What a ban covers,
  /// up to its end or until a person lifted it, counts no longer.
  /// - Parameter byUser: each account counts by itself; of those the one that weighs most.
  public func weight(of identity: Identity, jail: String, since: Instant, byUser: Bool = false) throws -> Int {
    try read { db, lookups in
      let dryRuns = try DryRuns(db)
      // A ban of this very id: one of a part of it answers for that part alone.
      var bans = Conditions()
      switch identity {
      case .network(let subnet): bans.add("address = ? AND prefix = ?", AddressKey(subnet.base), Int64(subnet.length))
      case .name: bans.add(about: identity)
      }
      bans.add("jail = ?", jail)
      if !dryRuns.isLast { bans.add("dry_run = 0") }
      let cutoff: Int64? = try db.first(
        """
        SELECT max(CASE end_cause WHEN 'operator' THEN ended ELSE coalesce(until, \(Int64.max)) END) FROM ban
        WHERE \(bans.text)
        """, bans.arguments)
      var filter = AuditFilter()
      filter.identity = identity
      filter.jail = jail
      filter.since = max(since, Instant(microseconds: cutoff ?? .min))
      let numbers = dryRuns.isLast || dryRuns.failures == 0 ? nil : dryRuns.failures + 1 ... .max
      guard let search = try FailureSearch(filter, numbers: numbers, &lookups, db) else { return 0 }
      var sums: [[UInt8]: Int] = [:]
      try search.forEachRow(db) { row, index, decoder in
        if byUser { try decoder.readNames(row, number: decoder.number(index), db) }
        sums[byUser ? Array(decoder.user) : [], default: 0] +=
          Int(row.count) * Int(try lookups.template(row.template, db)?.key.weight ?? 1)
      }
      return sums.values.max() ?? 0
    }
  }

  private func banStories(of identity: Identity, limit: Int) throws -> ([Explanation.BanStory], Int) {
    try read { db, _ in
      var sql = Conditions()
      sql.add(about: identity)
      let count = try db.first("SELECT count(*) FROM ban WHERE \(sql.text)", sql.arguments) as Int? ?? 0
      let stories = try db.rows(
        """
        SELECT jail, identity, since, until, count, number, start_cause, start_uid, start_command, applied, ended,
          end_cause, end_uid, end_command, dry_run
        FROM ban WHERE \(sql.text) ORDER BY since DESC, id DESC LIMIT \(limit)
        """, sql.arguments
      ).map { row in
        Explanation.BanStory(
          jail: row[0], identity: Identity(row[1] as String), since: Instant(microseconds: row[2]),
          until: (row[3] as Int64?).map { Instant(microseconds: $0) }, count: row[4], number: row[5], cause: row[6],
          uid: row[7], command: row[8] ?? "", applied: (row[9] as Int64?).map { Instant(microseconds: $0) },
          isDryRun: row[14] != 0, ended: (row[10] as Int64?).map { Instant(microseconds: $0) }, endCause: row[11] ?? "",
          endUID: row[12],
          endCommand: row[13] ?? "", failures: [], extensions: [])
      }
      return (stories, count)
    }
  }

  /// The ids whose bans made up the count: the last so many of the block before it was banned, but for those that a person
  /// has lifted.
  private func members(of ban: Explanation.BanStory) throws -> [Explanation.Member] {
    guard let block = ban.identity.subnet else { return [] }
    return try read { db, _ in
      let rows = try db.rows(
        """
        SELECT identity, since, count, end_cause IS 'operator' AND ended <= ?4 FROM ban
        WHERE address BETWEEN ?1 AND ?2 AND prefix > ?3 AND since <= ?4 AND jail = ?5 AND start_cause = 'limit'
        ORDER BY since DESC, id DESC
        """, AddressKey(block.base), AddressKey(block.last), Int64(block.length), ban.since.microseconds, ban.jail)
      var seen: Set<String> = []
      var members: [Explanation.Member] = []
      while members.count < ban.count, let row = try rows.next() {
        guard seen.insert(row[0]).inserted, row[3] == 0 else { continue }
        members.append(
          .init(identity: Identity(row[0] as String), since: Instant(microseconds: row[1]), count: row[2]))
      }
      return members.reversed()
    }
  }

  /// Failures by jail. Rows are counted without their texts.
  private func counts(_ filter: AuditFilter) throws -> [Explanation.JailCount] {
    try read { db, lookups in
      guard let search = try FailureSearch(filter, &lookups, db) else { return [] }
      // Rows are numbered as they came: the first and the last tell when.
      var edges: [UInt32: (count: Int, first: Int64, last: Int64)] = [:]
      try search.countsByOrigin(&lookups, db) { origin, count, first, last in
        let old = edges[origin] ?? (0, first, last)
        edges[origin] = (old.count + count, min(old.first, first), max(old.last, last))
      }
      var jails: [String: Explanation.JailCount] = [:]
      for (origin, edge) in edges {
        let jail = try lookups.origin(origin, db).jail
        let times = try [edge.first, edge.last].map {
          Instant(microseconds: try FailureSearch.time(of: $0, db) ?? 0)
        }
        var entry =
          jails[jail] ?? Explanation.JailCount(jail: jail, failures: 0, first: times[0], last: times[0])
        entry.failures += edge.count
        entry.first = min(entry.first, times[0], times[1])
        entry.last = max(entry.last, times[0], times[1])
        jails[jail] = entry
      }
      return jails.values.sorted { ($1.failures, $0.jail) < ($0.failures, $1.jail) }
    }
  }
}
