internal import Glibc
public import Model
internal import SQLite
internal import Synchronization
internal import System

/// The one database: failures, bans, operators' acts and how far the sources are read.
///
/// ```swift
/// let store = try AuditStore(path: "/var/lib/bailiff/bailiff.db")
/// try store.commit(batch, names: names, decisions: decisions, applied: now)   // one transaction
/// let bans = try store.bansInForce(at: now)
/// ```
///
/// A commit appends: its failures are one JSON text in the transaction's own row, hashed into the chain. Every 32,768 rows the index
/// on ids and users is made, of what is in memory anyway; what is behind it readers look through row by row.
///
/// Everything here is synchronous and meant for one thread at a time; others wait. Readers are another type, `AuditReader`,
/// with a connection of its own.
// Unchecked: `database` and `state` are used only while `lock` is held.
public final class AuditStore: @unchecked Sendable {
  public let path: String
  /// The copy that was kept of a store of an older version, when this opened one.
  public let migratedCopy: String?
  private let lock = Mutex(())
  private let database: Database
  private var state = WriterState()
  /// Positions of consumers that the next transaction stores.
  private let moved = Mutex<[String: AuditPosition]>([:])

  /// Opens the store, creating it or bringing it to the current version. Throws `StoreError` with kind `newer` for a
  /// store of a later version and `corrupt` for a damaged one, which `setAside` moves out of the way.
  public init(path: String) throws {
    self.path = path
    do {
      database = try Self.open(path, .readWrite)
      migratedCopy = try Migrations.migrate(database)
      try database.snapshot { try state.load(database) }
    } catch {
      throw StoreError(error, path: path)
    }
  }

  static func open(_ path: String, _ access: Database.Access) throws -> Database {
    if access == .readWrite { makePrivate(path) }
    let database = try Database(path: path, access)
    database.setBusyTimeout(milliseconds: 5000)
    if access == .readWrite {
      // Of a new store; one that is there keeps its own. A quiet log's commit writes one page.
      try database.execute("PRAGMA page_size = 4096")
      try database.execute("PRAGMA journal_mode = WAL")
      // After a power cut the last commits may be gone, never half of one: positions go with them, so they are read again.
      try database.execute("PRAGMA synchronous = NORMAL")
      // 8 MB of log before pages go to their places: those that every commit touches go once instead of a thousand times.
      try database.execute("PRAGMA wal_autocheckpoint = 2048")
    }
    // What an indexed chunk's indexes need. A larger one fills with pages of blobs that are never read again.
    try database.execute("PRAGMA cache_size = -8192")
    try database.execute("PRAGMA temp_store = MEMORY")
    return database
  }

  /// Lines hold names and addresses of people, and SQLite makes files that everybody may read. One that is there keeps its mode;
  /// the write-ahead log has the same (https://www.sqlite.org/wal.html).
  private static func makePrivate(_ path: String) {
    // Where this fails SQLite says why.
    do { _ = try Descriptor.open(path, flags: O_RDWR | O_CREAT | O_EXCL, mode: 0o600) } catch {}
  }

  /// Was the file removed, or another one put in its place, since it was opened? What is stored then is found by nobody.
  public var isReplaced: Bool { lock.withLock { _ in database.hasMoved } }

  /// Moves a damaged store and its write-ahead log away, so that a new one can be opened in its place. Returns where to.
  public static func setAside(path: String, at time: Instant) throws -> String {
    let stamp = time.rfc3339().filter { $0 != ":" }
    let target = "\(path).damaged-\(stamp)"
    for suffix in ["", "-wal", "-shm"] where unsafe rename(path + suffix, target + suffix) != 0 && errno != ENOENT {
      // Safe: the text is copied at once.
      let reason = unsafe String(cString: strerror(errno))
      throw StoreError(
        kind: .cannotOpen, path: path, message: "\(path): the damaged store cannot be moved to \(target): \(reason)")
    }
    return target
  }

  /// Stores a batch: its failures, the decisions that it led to and how far its sources are read now, all or nothing.
  /// `applied` is when the firewall had taken the decisions; nil where it has not (a dry run, a ban that was over already).
  ///
  /// When this throws, nothing was stored and the same call can be made again. A commit whose success could not be told
  /// is found by the next call and not made twice.
  public func commit(
    _ batch: FailureBatch, names: Names, decisions: [Decision] = [], applied: Instant? = nil, isDryRun: Bool = false
  ) throws {
    try commit(
      batch, names: names, decisions: decisions, applied: Array(repeating: applied, count: decisions.count),
      isDryRun: isDryRun)
  }

  /// The same with a time for each decision. `isDryRun`: nothing is applied at all.
  public func commit(
    _ batch: FailureBatch, names: Names, decisions: [Decision], applied: [Instant?], isDryRun: Bool = false
  ) throws {
    try transaction { state, db in
      try state.commit(batch, names: names, decisions: decisions, applied: applied, isDryRun: isDryRun, db)
    }
  }

  /// Adds a batch to the next transaction, which is made when it is worth it: for a replay, whose reader waits for nothing. It
  /// is encoded at once, while its lines are still in the processor's cache. When this throws, none of what was added since
  /// the last transaction is stored, or all of it is and that could not be told: not for a caller that tries again.
  public func add(_ batch: FailureBatch, names: Names, decisions: [Decision]) throws {
    let added = lock.withLock { _ in
      state.add(batch, names: names, decisions: decisions)
      return state.added
    }
    if added >= Self.transactionSize { try store(finishing: false) }
  }

  /// Each transaction writes every page of the bans' indexes again, so a few large ones write less than many small ones; these are
  /// a megabyte.
  private static let transactionSize = 32_768

  /// Stores what `add` has left, with the index on all of it.
  public func storeAdded() throws { try store(finishing: true) }

  private func store(finishing isLast: Bool) throws {
    try transaction { state, db in
      if isLast { state.finishSegment() }
      try state.store(db)
    }
  }

  /// Stores something that happened beside failures and bans.
  public func record(_ event: AuditEvent) throws {
    try transaction { state, db in try state.record(event, db) }
  }

  // MARK: Consumers

  /// The end of what is stored.
  public var end: AuditPosition {
    lock.withLock { _ in
      let head = state.chain
      return AuditPosition(
        store: state.identity, failure: head.failure, decision: head.decision, event: head.event)
    }
  }

  /// How far consumers have been told, by name.
  public func consumerPositions() throws -> [String: AuditPosition] {
    let stored = try read { try ConsumerTable.load($0) }
    return stored.merging(moved.withLock { $0 }) { $1 }
  }

  /// Stored with the next transaction: what is lost in a crash is told again.
  public func setPosition(_ position: AuditPosition, of consumer: String) {
    moved.withLock { $0[consumer] = position }
  }

  /// Are there positions that no transaction has stored yet?
  public var hasMovedPositions: Bool { moved.withLock { !$0.isEmpty } }

  /// Stores positions that no other transaction has stored.
  public func storePositions() throws { try transaction { _, _ in } }

  /// Closes the database. Later calls throw.
  public func close() { lock.withLock { _ in database.close() } }

  func transaction<Result: Sendable>(_ body: (inout WriterState, Database) throws -> Result) throws -> Result {
    try lock.withLock { _ in
      do {
        let moved = moved.withLock { $0 }
        let result = try database.transaction {
          if state.isStale { try state.load(database) }
          if !moved.isEmpty { try ConsumerTable.save(moved, database) }
          return try body(&state, database)
        }
        if !moved.isEmpty { self.moved.withLock { $0 = $0.filter { moved[$0.key] != $0.value } } }
        return result
      } catch {
        // What the state counted may not have been stored: read it again before the next transaction.
        state.isStale = true
        throw StoreError(error, path: path)
      }
    }
  }

  func read<Result: Sendable>(_ body: (Database) throws -> Result) throws -> Result {
    try lock.withLock { _ in
      do { return try database.snapshot { try body(database) } } catch { throw StoreError(error, path: path) }
    }
  }
}
