internal import Model

/// The views that other programs read, in plain SQL: `sqlite3` has none of our functions. docs/audit-schema.md lists their
/// columns; they stay when the tables beneath them change.
enum Views {
  static let all = failures + others

  /// Joins that a question does not need SQLite leaves out, since they are outer ones.
  private static let failures = """
    CREATE VIEW failures AS
      SELECT f.number AS row_id, \(time("f.time")) AS time, f.time / 1e6 AS time_epoch, o.jail AS jail,
        \(id) AS id, \(user) AS user, coalesce(json_extract(f.more, '$.n'), 1) AS count, t.weight AS weight,
        o.filter AS filter, o.pattern AS pattern, o.file AS filter_file, o.source AS source,
        CASE WHEN o.journal = '' THEN f.place END AS offset, \(cursor) AS cursor,
        t.rule AS rule, w.severity AS severity, w.message AS message, \(line) AS line,
        \(time("f.base_time + f.unit * json_extract(f.more, '$.t')")) AS last_time,
        coalesce(x.last, json_extract(f.more, '$.l')) AS last_line, f.batch AS batch
      FROM (
        SELECT b.first + r.key AS number, b.id AS batch, b.base_time AS base_time, b.unit AS unit, b.users AS users,
          b.base_time + b.unit * json_extract(r.value, '$[0]') AS time,
          b.base_place + json_extract(r.value, '$[1]') AS place, json_extract(r.value, '$[2]') AS id,
          json_extract(r.value, '$[3]') AS user, json_extract(r.value, '$[4]') AS template, r.value AS value,
          CASE WHEN json_type(r.value, '$[#-1]') = 'object' THEN json_extract(r.value, '$[#-1]') END AS more
        FROM batch b, json_each(b.rows) r) f
      LEFT JOIN template t ON t.id = f.template LEFT JOIN origin o ON o.id = t.origin
      LEFT JOIN rule w ON w.rule = t.rule LEFT JOIN raw x ON x.id = f.number;

    """

  private static let others = """
    CREATE VIEW bans AS
      SELECT id AS row_id, jail, identity AS id, \(time("since")) AS since, \(time("until")) AS until,
        since / 1e6 AS since_epoch, until / 1e6 AS until_epoch, count, number,
        ended IS NULL AND (until IS NULL OR until > strftime('%s', 'now') * 1000000) AS in_force,
        \(time("applied")) AS applied, start_cause AS cause, start_uid AS uid, start_command AS command,
        \(time("ended")) AS ended, end_cause AS ended_by, end_uid AS ended_uid, end_command AS ended_command, dry_run
      FROM ban;

    CREATE VIEW operators AS
      SELECT \(time("time")) AS time, time / 1e6 AS time_epoch, uid, action, jail, identity AS id, command, '' AS detail
        FROM decision WHERE cause = 'operator'
      UNION ALL
      SELECT \(time("time")), time / 1e6, uid, action, subject, NULL, command, detail FROM event WHERE uid IS NOT NULL;

    CREATE VIEW events AS
      SELECT id AS row_id, \(time("time")) AS time, time / 1e6 AS time_epoch, action, subject, detail, uid, command FROM event;
    """

  static let activity = """
    CREATE VIEW activities AS
      SELECT id AS row_id, \(time("time")) AS time, time / 1e6 AS time_epoch, event, user, target,
        \(address("address")) AS address, detail, jail, filter, pattern, source, place AS offset, cursor, line
      FROM activity;

    CREATE VIEW alerts AS
      SELECT a.id AS row_id, \(time("a.time")) AS time, a.time / 1e6 AS time_epoch, a.kind, a.user,
        \(address("a.address")) AS address, a.jail, a.count, \(time("a.since")) AS since, e.detail AS text
      FROM alert a LEFT JOIN event e ON e.id = a.id;

    """

  /// IPv4 as its numbers; IPv6 as eight groups, not shortened.
  private static func address(_ column: String) -> String {
    let v4 = [24, 16, 8, 0].map { "(\(column) >> \($0) & 255)" }.joined(separator: " || '.' || ")
    let v6 = (0..<8).map { "lower(hex(substr(\(column), \(2 * $0 + 1), 2)))" }.joined(separator: " || ':' || ")
    return "CASE typeof(\(column)) WHEN 'integer' THEN \(v4) WHEN 'blob' THEN \(v6) END"
  }

  /// RFC 3339 in UTC, to the millisecond.
  private static func time(_ column: String) -> String {
    "strftime('%Y-%m-%dT%H:%M:%fZ', (\(column)) / 1e6, 'unixepoch')"
  }

  /// An address as RFC 5952 writes it, or a name.
  private static var id: String {
    let v4 = [24, 16, 8, 0].map { "(f.id >> \($0) & 255)" }.joined(separator: " || '.' || ")
    return
      "CASE WHEN typeof(f.id) = 'integer' THEN \(v4) WHEN f.id LIKE '=%' THEN coalesce(x.name, substr(f.id, 2)) ELSE f.id END"
  }

  private static var user: String {
    """
    CASE WHEN x.id IS NOT NULL THEN x.user WHEN typeof(f.user) = 'text' THEN f.user
          WHEN f.user > 0 THEN json_extract(f.users, '$[' || (f.user - 1) || ']') END
    """
  }

  private static var cursor: String {
    "CASE WHEN o.journal <> '' THEN iif(f.place < 0, o.journal, o.journal || printf(';i=%x', f.place)) END"
  }

  /// `Template.join` in SQL, one value a step. The user comes last: what it holds is put nowhere else.
  private static var line: String {
    """
    CASE WHEN x.id IS NOT NULL THEN x.line WHEN t.text IS NULL THEN json_extract(f.value, '$[5]') ELSE (
          WITH RECURSIVE step (i, line) AS (
            SELECT 0, replace(replace(t.text, char(\(Template.Mark.address)), \(id)),
              char(\(Template.Mark.stamp)), coalesce(\(stamp), ''))
            UNION ALL
            SELECT i + 1, replace(line, char(\(Template.Mark.value) + i), json_extract(f.value, '$[' || (5 + i) || ']'))
            FROM step WHERE i < \(Template.Mark.values) AND instr(line, char(\(Template.Mark.value) + i)))
          SELECT replace(line, char(\(Template.Mark.user)), coalesce(\(user), '')) FROM step ORDER BY i DESC LIMIT 1) END
    """
  }

  /// `StampForm.write` in SQL.
  private static var stamp: String {
    let second = "(f.time / 1000000 + t.zone)"
    func part(_ letter: String) -> String { "strftime('%\(letter)', \(second), 'unixepoch')" }
    let letters = [
      ("%b", "substr('JanFebMarAprMayJunJulAugSepOctNovDec', 3 * \(part("m")) - 2, 3)"),
      ("%a", "substr('SunMonTueWedThuFriSat', 3 * \(part("w")) + 1, 3)"), ("%e", "printf('%2d', \(part("d")))"),
      ("%3", "printf('%03d', f.time / 1000 % 1000)"), ("%6", "printf('%06d', f.time % 1000000)"),
    ]
    let form = letters.reduce("t.stamp") { "replace(\($0), '\($1.0)', \($1.1))" }
    return "strftime(\(form), \(second), 'unixepoch')"
  }
}
