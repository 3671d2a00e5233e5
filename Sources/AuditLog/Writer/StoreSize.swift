internal import Model
internal import SQLite
internal import System

/// What a store takes, by kind of row, so that one kind cannot push out the others. SQLite knows the sum alone: what decisions and
/// events take is worked out from how many there are and how long the newest are; the rest is failures and what they refer to.
struct StoreSize {
  /// Bytes of the file that hold something but activities, which have a bound of their own; pages that were freed are used again
  /// before it grows.
  let used: Int64
  /// By kind; what transactions leave behind counts for the kind whose rows keep it.
  private var kinds: [RecordKind: Int64] = [:]
  /// Bans in force, which always stay.
  let bansInForce: Int64

  /// Of the bound: a kind that takes less than this share loses nothing to the others.
  private static let share: Int64 = 8
  /// Roughly what a row takes beside its texts, with its entries in indexes.
  private enum RowBytes {
    static let decision: Int64 = 90
    static let ban: Int64 = 130
    static let event: Int64 = 50
    static let link: Int64 = 80
  }

  static func used(_ db: Database) throws -> Int64 {
    let pages: Int64 = try db.first("PRAGMA page_count") ?? 0
    let free: Int64 = try db.first("PRAGMA freelist_count") ?? 0
    let size: Int64 = try db.first("PRAGMA page_size") ?? 4096
    return (pages - free) * size - (try ActivityTable.size(db))
  }

  init(_ db: Database) throws {
    used = try Self.used(db)
    func average(_ texts: String, _ table: String) throws -> Int64 {
      try db.first("SELECT CAST(avg(\(texts)) AS INTEGER) FROM (SELECT * FROM \(table) ORDER BY id DESC LIMIT 256)")
        ?? 0
    }
    func count(_ rows: String) throws -> Int64 { try db.first("SELECT count(*) FROM \(rows)") ?? 0 }
    let decision = try average("length(jail) + length(identity) + coalesce(length(command), 0)", "decision")
    let ban = try average("2 * length(jail) + 2 * length(identity) + coalesce(length(start_command), 0)", "ban")
    let event = try average("length(action) + length(subject) + length(detail) + length(command)", "event")
    let inForce = try count("ban WHERE ended IS NULL")
    bansInForce = inForce * (ban + RowBytes.ban)
    kinds[.decisions] =
      try count("decision") * (decision + RowBytes.decision) + (count("ban") - inForce) * (ban + RowBytes.ban)
    kinds[.events] = try count("event") * (event + RowBytes.event)
    kinds[try Self.keepsLinks(db), default: 0] += try count("link") * RowBytes.link
    kinds[.failures] = max(used - bansInForce - self[.decisions] - self[.events], 0)
  }

  /// The kind whose oldest row is in the oldest transaction that has any but failures.
  private static func keepsLinks(_ db: Database) throws -> RecordKind {
    func oldest(_ kind: RecordKind) throws -> Int64 {
      guard let links = try ChainSearch(kind, db) else { return .max }
      return try links.link(after: Retention.removed(kind, db), from: links.first) ?? .max
    }
    return try oldest(.events) < oldest(.decisions) ? .events : .decisions
  }

  subscript(kind: RecordKind) -> Int64 { kinds[kind] ?? 0 }

  /// The kinds that take more than their share of a bound, the largest first.
  func shrinkable(to bound: Int64) -> [RecordKind] {
    RecordKind.allCases.filter { self[$0] > bound / Self.share }.sorted { self[$0] > self[$1] }
  }
}

extension AuditStore {
  /// Why the store is larger than `policy.size` though nothing more can be removed; nil where it is not.
  public func sizeProblem(_ policy: RetentionPolicy) throws -> String? {
    guard let bound = policy.size else { return nil }
    return try read { db in
      guard try StoreSize.used(db) > bound else { return nil }
      let size = try StoreSize(db)
      func text(_ bytes: Int64) -> String { byteSize(UInt64(max(0, bytes))) }
      return
        "it takes \(text(size.used)), more than `retention.size` (\(text(bound))), and no more may go: bans in force take "
        + "\(text(size.bansInForce)), decisions \(text(size[.decisions])), events \(text(size[.events])), failures "
        + "\(text(size[.failures])); shorten `retention`, or allow a larger size"
    }
  }
}

extension Retention {
  /// Removes the oldest rows of the kind that takes most, where the store is larger than `bound`. True while there is more to do.
  static func shrink(to bound: Int64, limit: Int, _ state: inout WriterState, _ db: Database) throws -> Bool {
    guard try StoreSize.used(db) > bound else { return false }
    for kind in try StoreSize(db).shrinkable(to: bound) {
      let before = try removed(kind, db)
      // A few decisions may keep very many transactions.
      let most = kind == .failures ? limit : min(limit, 256)
      _ = try remove(kind, before: nil, limit: most, &state, db)
      if try removed(kind, db) > before { return true }
    }
    return false
  }
}
