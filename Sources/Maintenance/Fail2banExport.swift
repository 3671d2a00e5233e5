internal import AuditLog
public import Model
internal import SQLite
public import Settings
internal import System

/// Jails and bans in force in fail2ban's files, for those who go back to it: `jail.local` and `fail2ban.sqlite3`.
///
/// Written against fail2ban 1.0 and 1.1: jail.conf(5), and the tables that its database of version 4 has.
public enum Fail2banExport {
  public struct Summary: Sendable {
    public var jails: [String]
    public var bans: Int
    /// What fail2ban cannot do, or what is to be looked at: a line each.
    public var notes: [String]
  }

  /// - Parameters:
  ///   - directory: is made where it is not there; files in it are replaced.
  ///   - filters: fail2ban's filter.d.
  public static func write(to directory: String, of settings: Settings, now: Instant, filters: String) throws -> Summary
  {
    try Directory.make(directory)
    let names = ((try? Directory.names(filters)) ?? []).filter { $0.hasSuffix(".conf") }
    var writer = Fail2banJails(filters: Set(names.map { String($0.dropLast(".conf".count)) }))
    for jail in settings.jails { writer.add(jail, settings) }
    try SmallFile.replace("\(directory)/jail.local", with: Array(writer.text.utf8))
    let hasStore = (try? FileStatus.of(path: settings.database)) != nil
    let store = hasStore ? try AuditStore.readOnly(path: settings.database) : nil
    let bans = try store?.bansInForce(at: now, isDryRun: false) ?? []
    let onPaper = try store?.bansInForce(at: now, isDryRun: true).count ?? 0
    if onPaper > 0 {
      writer.notes.append("\(counted(onPaper, "ban")) of a dry run: not carried over, since nobody is banned")
    }
    let known = Set(writer.jails)
    let kept = bans.filter { known.contains($0.jail) && $0.identity.subnet != nil }
    for jail in Set(bans.map(\.jail)).subtracting(known).sorted() {
      let count = bans.count { $0.jail == jail }
      writer.notes.append("\(counted(count, "ban")) of \(jail), which is no jail there: not carried over")
    }
    try writeBans(kept, jails: writer.jails, to: "\(directory)/fail2ban.sqlite3", now)
    return Summary(jails: writer.jails, bans: kept.count, notes: writer.notes)
  }

  private static func writeBans(_ bans: [Ban], jails: [String], to path: String, _ now: Instant) throws {
    let new = "\(path).new"
    for suffix in ["", "-wal", "-journal"] { try? SmallFile.remove(new + suffix) }
    let database = try Database(path: new, .readWrite)
    try database.execute(
      """
      CREATE TABLE fail2banDb (version INTEGER);
      INSERT INTO fail2banDb VALUES (4);
      CREATE TABLE jails (name TEXT NOT NULL UNIQUE, enabled INTEGER NOT NULL DEFAULT 1);
      CREATE TABLE logs (
        jail TEXT NOT NULL REFERENCES jails(name) ON DELETE CASCADE, path TEXT, firstlinemd5 TEXT, lastfilepos INTEGER DEFAULT 0,
        UNIQUE (jail, path), UNIQUE (jail, path, firstlinemd5));
      CREATE TABLE bans (
        jail TEXT NOT NULL REFERENCES jails(name), ip TEXT, timeofban INTEGER NOT NULL, bantime INTEGER NOT NULL,
        bancount INTEGER NOT NULL DEFAULT 1, data JSON);
      CREATE TABLE bips (
        ip TEXT NOT NULL, jail TEXT NOT NULL REFERENCES jails(name), timeofban INTEGER NOT NULL, bantime INTEGER NOT NULL,
        bancount INTEGER NOT NULL DEFAULT 1, data JSON, PRIMARY KEY (ip, jail));
      """)
    try database.transaction {
      for jail in jails { try database.run("INSERT INTO jails (name) VALUES (?)", jail) }
      for ban in bans {
        let since = ban.since.microseconds / 1_000_000
        let length = ban.until.map { $0.since(ban.since).microseconds / 1_000_000 } ?? -1
        let data = "{\"matches\": [], \"failures\": \(ban.count)}"
        for table in ["bans", "bips"] {
          try database.run(
            "INSERT OR REPLACE INTO \(table) (jail, ip, timeofban, bantime, bancount, data) VALUES (?, ?, ?, ?, ?, ?)",
            ban.jail, ban.identity.description, since, length, ban.number, data)
        }
      }
    }
    database.close()
    try SmallFile.rename(new, to: path)
  }
}
