internal import SQLite

/// What was decided on paper only. Nothing of it counts for a daemon that enforces.
struct DryRuns {
  /// Is a dry run the last that was started?
  let isLast: Bool
  /// The last failure that came while one ran, and so counts in no window; 0: none, `Int64.max`: all of them.
  let failures: Int64

  init(_ db: Database) throws {
    let last: Int64? = try db.first("SELECT max(id) FROM event WHERE action = 'dry-run'")
    guard let last else {
      (isLast, failures) = (false, 0)
      return
    }
    let live: Int64? = try db.first("SELECT min(id) FROM event WHERE action = 'start' AND id > ?", last)
    guard let live else {
      (isLast, failures) = (true, .max)
      return
    }
    isLast = false
    guard let events = try ChainSearch(.events, db), let started = try events.link(after: live - 1, from: events.first),
      let numbers = try ChainSearch(.failures, db)
    else {
      failures = 0
      return
    }
    failures = try numbers.lastRow(of: started) ?? 0
  }
}
