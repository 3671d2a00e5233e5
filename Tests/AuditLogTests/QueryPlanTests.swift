import Foundation
import Model
import SQLite
import Testing

@testable import AuditLog

/// Which way SQLite takes: questions about one address must not read what others did.
@Suite struct QueryPlanTests {
  private func plan(_ sql: String, _ arguments: [(any Bindable)?]) throws -> String {
    let scratch = try Scratch()
    let store = try scratch.store()
    return try store.read { db in
      try db.rows("EXPLAIN QUERY PLAN " + sql, arguments).map { $0[3] as String }
        .joined(separator: "\n")
    }
  }

  /// With a stretch of time, too: SQLite would take the index on time, and read every decision of that time.
  @Test(arguments: ["192.0.2.7", "192.0.2.0/24", "2001:db8::/48", "session-4711"]) func decisionsAboutAnAddress(
    id: String
  ) throws {
    var filter = AuditFilter()
    filter.identity = Identity(id)
    filter.since = start
    filter.until = start.adding(.hours(1))
    let query = DecisionStream.query(filter, before: AuditCursor(time: start, rank: 1, number: 0))
    let plan = try plan(query.sql, query.arguments)
    #expect(plan.contains("decision_address"))
    #expect(!plan.contains("decision_time") && !plan.contains("SCAN decision"), "\(plan)")
  }

  @Test(arguments: ["192.0.2.7", "192.0.2.0/24", "session-4711"]) func bansOfAnID(id: String) throws {
    var sql = Conditions()
    sql.add(about: Identity(id))
    let plan = try plan("SELECT * FROM ban WHERE \(sql.text) ORDER BY since DESC, id DESC", sql.arguments)
    #expect(plan.contains("ban_address") && !plan.contains("SCAN"), "\(plan)")
  }

  @Test func decisionsOfATime() throws {
    var filter = AuditFilter()
    filter.since = start
    let query = DecisionStream.query(filter, before: nil)
    #expect(try plan(query.sql, query.arguments).contains("decision_time"))
  }
}
