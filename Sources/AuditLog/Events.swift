internal import GRDB
internal import Model

enum EventTable {
  static func insert(_ event: AuditEvent, id: Int64, _ db: Database) throws {
    try db.cachedStatement(
      sql: "INSERT INTO event (id, time, action, subject, detail, uid, command) VALUES (?,?,?,?,?,?,?)"
    ).execute(arguments: [
      id, event.time.microseconds, event.action.rawValue, event.subject, event.detail, event.uid, event.command,
    ])
  }
}
