public import Model
internal import SQLite
internal import System

/// The bans that fail2ban has in force, out of its database (`dbfile` in fail2ban.conf).
public struct Fail2banBans: Sendable {
  public struct Ban: Hashable, Sendable {
    public var jail: String
    /// An address or a block, as fail2ban has it.
    public var id: String
    /// Nil: permanent.
    public var until: Instant?
  }

  public static let usualPath = "/var/lib/fail2ban/fail2ban.sqlite3"

  /// The longest first, so that whatever comes between has the worst ones banned.
  public var bans: [Ban]

  /// - Throws: `RequestError`.
  public init(_ path: String, at now: Instant) throws {
    guard (try? FileStatus.of(path: path)) != nil else {
      throw RequestError(
        .rejected, "there is no \(path)",
        remedy: "name fail2ban's database, `fail2ban-client get dbfile`, with --database")
    }
    do throws(SQLiteError) {
      let database = try Database(path: path, .readOnly)
      database.setBusyTimeout(milliseconds: 5000)
      // `timeofban` and `bantime` are seconds, and -1 is permanent.
      let rows = try database.rows(
        """
        SELECT jail, ip, CASE WHEN bantime < 0 THEN NULL ELSE timeofban + bantime END AS until FROM bips
        WHERE ip <> '' AND (bantime = -1 OR timeofban + bantime > ?) ORDER BY until IS NOT NULL, until DESC, jail, ip
        """, now.microseconds / 1_000_000)
      bans = try rows.map { row throws(SQLiteError) in
        Ban(jail: row[0], id: row[1], until: (row[2] as Int64?).map { Instant(seconds: $0) })
      }
    } catch {
      throw RequestError(
        .rejected, "\(path): \(error.message)",
        remedy: "fail2ban 0.11 and later record what is in force; name their database")
    }
  }
}
