internal import Model
internal import SQLite

enum EventTable {
  static func insert(_ event: AuditEvent, id: Int64, _ db: Database) throws {
    try db.run(
      "INSERT INTO event (id, time, action, subject, detail, uid, command) VALUES (?,?,?,?,?,?,?)", id,
      event.time.microseconds, event.action.rawValue, event.subject, event.detail, event.uid, event.command)
  }
}
