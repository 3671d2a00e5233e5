internal import Glibc
internal import Model
internal import SQLite
internal import Synchronization

/// Reads the audit, whether or not a daemon is writing it: with a connection of its own, which sees one moment of the store
/// for the length of each question.
///
/// ```swift
/// let reader = try AuditStore.readOnly(path: "/var/lib/bailiff/bailiff.db")
/// var filter = AuditFilter()
/// filter.identity = Identity("192.0.2.0/24")
/// let page = try reader.page(filter, limit: 50)
/// ```
// Unchecked: `database` and `lookups` are used only while `lock` is held.
public final class AuditReader: @unchecked Sendable {
  public let path: String
  private let lock = Mutex(())
  private let database: Database
  private var lookups = Lookups()

  init(path: String) throws {
    self.path = path
    guard unsafe access(path, F_OK) == 0 else {
      throw StoreError(
        kind: .missing, path: path,
        message: "\(path): there is no store yet; start the daemon, or name another settings file with --config")
    }
    do {
      database = try AuditStore.open(path, .readOnly)
      let version = try database.snapshot { try Migrations.check(database) }
      guard version == Migrations.current else {
        throw StoreError(
          kind: .other, path: path,
          message: "\(path): the store has version \(version), this bailiff reads version \(Migrations.current); "
            + "start the daemon once, which migrates it and keeps a copy")
      }
    } catch {
      throw StoreError(error, path: path)
    }
  }

  /// Was the store removed, or another one put in its place, since it was opened?
  public var isReplaced: Bool { lock.withLock { _ in database.hasMoved } }

  /// Writes the store as it is at one moment into a new file; the daemon may go on writing meanwhile.
  public func copy(to path: String) throws {
    try lock.withLock { _ in
      do {
        // Not inside a transaction: https://www.sqlite.org/lang_vacuum.html#vacuuminto
        try database.run("VACUUM INTO ?", path)
      } catch {
        throw StoreError(error, path: self.path)
      }
    }
  }

  func read<Result: Sendable>(_ body: (Database, inout Lookups) throws -> Result) throws -> Result {
    try lock.withLock { _ in
      do {
        return try database.snapshot { try body(database, &lookups) }
      } catch {
        throw StoreError(error, path: path)
      }
    }
  }
}

extension AuditStore {
  /// Opens the store for questions only. Throws `StoreError` with kind `missing` where there is none.
  public static func readOnly(path: String) throws -> AuditReader { try AuditReader(path: path) }
}

/// What rows refer to by number, remembered. What is not known is asked for again: these tables grow.
struct Lookups {
  private var origins: [UInt32: Origin] = [:]
  private var templates: [Int64: Template] = [:]
  private var rules: [String: WAFRule] = [:]
  let postings = PostingCache()

  mutating func origin(_ number: UInt32, _ db: Database) throws -> Origin {
    if let origin = origins[number] { return origin }
    try loadOrigins(db)
    return origins[number] ?? .unknown
  }

  private mutating func loadOrigins(_ db: Database) throws {
    let rows = try db.rows(Origin.select)
    while let row = try rows.next() { origins[row[0]] = Origin(row) }
  }

  mutating func template(_ number: Int64, _ db: Database) throws -> Template? {
    if let template = templates[number] { return template }
    try loadTemplates(db)
    return templates[number]
  }

  private mutating func loadTemplates(_ db: Database) throws {
    for (number, key) in try TemplateTable.all(db) where templates[number] == nil {
      templates[number] = Template(key, number: number, origin: try origin(key.origin, db))
    }
  }

  mutating func rule(_ id: [UInt8], _ db: Database) throws -> WAFRule {
    let name = String(decoding: id, as: UTF8.self)
    if rules[name] == nil { rules = try RuleTable.load(db) }
    return rules[name] ?? WAFRule(id: name, message: "", severity: "")
  }

  /// The numbers of the origins that a filter lets through; nil: all.
  mutating func origins(for filter: AuditFilter, _ db: Database) throws -> Set<UInt32>? {
    guard !filter.jails.isEmpty || filter.pattern != nil || filter.source != nil else { return nil }
    try loadOrigins(db)
    return Set(
      origins.filter { _, origin in
        (filter.jails.isEmpty || filter.jails.contains(origin.jail))
          && (filter.source == nil || origin.source == filter.source)
          && (filter.pattern == nil || origin.pattern == filter.pattern
            || "\(origin.filter)/\(origin.pattern)" == filter.pattern)
      }.keys)
  }

  /// The templates that are of these origins.
  mutating func templates(of origins: Set<UInt32>, _ db: Database) throws -> Set<Int64> {
    try loadTemplates(db)
    return Set(templates.filter { origins.contains($0.value.key.origin) }.keys)
  }
}
