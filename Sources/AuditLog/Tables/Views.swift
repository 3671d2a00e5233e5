internal import Model

/// The views that other programs read, in plain SQL: `sqlite3` has none of our functions. docs/audit-schema.md lists their
/// columns; they stay when the tables beneath them change.
enum Views {
  static let all = failures + others

  private static let failures = """
    CREATE VIEW failures AS
      SELECT f.id AS row_id, \(time("f.time")) AS time, f.time / 1e6 AS time_epoch, o.jail AS jail,
        \(identity("f.address")) AS id, u.name AS user, f.count AS count, f.weight AS weight, o.filter AS filter,
        o.pattern AS pattern, o.file AS filter_file, o.source AS source,
        CASE WHEN o.journal = '' THEN f.place END AS offset, \(cursor("f.place")) AS cursor,
        r.rule AS rule, r.severity AS severity, r.message AS message, \(line) AS line,
        \(time("l.time")) AS last_time, l.line AS last_line
      FROM failure f JOIN origin o ON o.id = f.origin LEFT JOIN user_name u ON u.id = f.user
        LEFT JOIN shape s ON s.id = f.shape LEFT JOIN last_line l ON l.id = f.id LEFT JOIN rule r ON r.id = f.rule;
    """

  private static let others = """
    CREATE VIEW bans AS
      SELECT id AS row_id, jail, identity AS id, \(time("since")) AS since, \(time("until")) AS until,
        since / 1e6 AS since_epoch, until / 1e6 AS until_epoch, count, number,
        ended IS NULL AND (until IS NULL OR until > strftime('%s', 'now') * 1000000) AS in_force,
        \(time("applied")) AS applied, start_cause AS cause, start_uid AS uid, start_command AS command,
        \(time("ended")) AS ended, end_cause AS ended_by, end_uid AS ended_uid, end_command AS ended_command
      FROM ban;

    CREATE VIEW operators AS
      SELECT \(time("time")) AS time, time / 1e6 AS time_epoch, uid, action, jail, identity AS id, command, '' AS detail
        FROM decision WHERE cause = 'operator'
      UNION ALL
      SELECT \(time("time")), time / 1e6, uid, action, subject, NULL, command, detail FROM event WHERE uid IS NOT NULL;

    CREATE VIEW events AS
      SELECT id AS row_id, \(time("time")) AS time, time / 1e6 AS time_epoch, action, subject, detail, uid, command FROM event;
    """

  /// RFC 3339 in UTC, to the millisecond.
  private static func time(_ column: String) -> String {
    "strftime('%Y-%m-%dT%H:%M:%fZ', \(column) / 1e6, 'unixepoch')"
  }

  private static func cursor(_ column: String) -> String {
    "CASE WHEN o.journal <> '' THEN iif(\(column) < 0, o.journal, o.journal || printf(';i=%x', \(column))) END"
  }

  /// An address as RFC 5952 writes it, from what `AddressKey` stores; a name as it is.
  private static func identity(_ column: String) -> String {
    let v4 = [24, 16, 8, 0].map { "(\(column) >> \($0) & 255)" }.joined(separator: " || '.' || ")
    return
      "CASE typeof(\(column)) WHEN 'integer' THEN \(v4) WHEN 'blob' THEN iif(length(\(column)) = 16, \(ipv6(column)), \(column)) ELSE \(column) END"
  }

  /// Eight groups without leading zeros between colons; then the first longest run of zero groups becomes `::`.
  private static func ipv6(_ column: String) -> String {
    let groups = (0..<8).map {
      "':' || iif(substr(h, \($0 * 4 + 1), 4) = '0000', '0', ltrim(substr(h, \($0 * 4 + 1), 4), '0'))"
    }.joined(separator: " || ")
    let runs = stride(from: 8, through: 2, by: -1).map { count in
      let zeros = "'" + String(repeating: ":0", count: count) + ":'"
      // What is left of the run without the colon in front, and what is right of it without the one behind.
      return "WHEN instr(g, \(zeros)) THEN substr(g, 2, max(instr(g, \(zeros)) - 2, 0)) || '::' || "
        + "rtrim(substr(g, instr(g, \(zeros)) + \(count * 2 + 1)), ':')"
    }.joined(separator: " ")
    return """
      (SELECT CASE \(runs) ELSE trim(g, ':') END FROM (SELECT \(groups) || ':' AS g
        FROM (SELECT lower(hex(\(column))) AS h)))
      """
  }

  /// A line from its shape and variables: `LineShape.join` in SQL, one variable a step.
  private static var line: String {
    """
    CASE WHEN f.shape IS NULL THEN f.line ELSE (
          WITH RECURSIVE step (i, t) AS (
            SELECT 0, replace(replace(s.text, char(\(LineShape.address)), \(identity("f.address"))),
              char(\(LineShape.user)), coalesce(u.name, ''))
            UNION ALL
            SELECT i + 1, replace(t, char(\(LineShape.variable) + i), json_extract(f.line, '$[' || i || ']'))
            FROM step WHERE i < json_array_length(f.line))
          SELECT t FROM step ORDER BY i DESC LIMIT 1) END
    """
  }
}
