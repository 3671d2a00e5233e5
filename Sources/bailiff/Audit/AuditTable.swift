import AuditLog
import Inspection
import System

/// The audit as a table, cut at a screenful of rows at a time so that a long one begins at once.
struct AuditTable {
  private static func new() -> Table {
    Table([
      .text("TIME"), .text("KIND"), .text("JAIL"), .text("ID"), .number("COUNT"), .rest("USER"), .rest("PATTERN"),
      .rest("WHAT"),
    ])
  }

  private var table = AuditTable.new()
  private(set) var rows = 0

  mutating func add(_ row: AuditRow) {
    rows += 1
    table.add([
      LocalTime.text(row.time), row.kind.rawValue, row.jail, row.id, row.count > 0 ? grouped(row.count) : "", row.user,
      row.pattern, row.story,
    ])
  }

  func print(to output: inout Output, on terminal: Terminal) { table.print(to: &output, on: terminal) }
}
