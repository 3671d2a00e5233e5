import AuditLog
import Glibc
import Inspection
import Model
import Service
import System

/// `audit --after` and `audit --follow`: rows in the order in which they are stored.
struct AuditFollow: Sendable {
  let path: String
  let filter: AuditFilter
  /// Rows of a table, an object or a record each, each with where to go on.
  let print: @Sendable (_ rows: [AuditRow]) -> Void

  /// What `--after` says; nil: nothing.
  static func position(_ text: String?, _ reader: AuditReader) throws -> AuditPosition? {
    switch text {
    case nil: return nil
    case "now": return try reader.end()
    case "beginning": return try reader.beginning()
    case let text?:
      guard let position = AuditPosition(text) else {
        throw CommandFailure(
          .usage, "--after `\(text)` is no cursor; copy one that --follow printed, or write `now` or `beginning`")
      }
      // One of another store throws.
      _ = try reader.rows(after: position, AuditFilter(), limit: 1)
      return position
    }
  }

  /// Prints what is stored after `position`, and says where to go on.
  func list(after position: AuditPosition, limit: Int?, _ reader: AuditReader) throws {
    var position = position
    var left = limit ?? .max
    while left > 0 {
      let delivery = try reader.rows(after: position, filter, limit: min(left, 4096))
      print(delivery.rows)
      left -= delivery.rows.count
      position = delivery.end
      guard delivery.hasMore else { break }
    }
    Self.sayCursor(position)
  }

  /// Prints what is stored after `position` and what comes, until a signal ends it.
  func run(after position: AuditPosition) {
    Signals.block()
    let consumer = DecisionConsumer(name: "follow", filter: filter, start: .after(position), isStored: false) { rows in
      print(rows)
      return .done
    }
    let runner = ConsumerRunner(consumer, path: path)
    _ = ServiceThread("bailiff-follow") { runner.run(poll: .milliseconds(250)) }
    Signals.wait()
    runner.stop()
    if let reached = runner.position { Self.sayCursor(reached) }
  }

  private static func sayCursor(_ position: AuditPosition) { Diagnostics.write("go on with: --after \(position)\n") }
}

/// Writes rows as they come, each batch at once.
struct FollowWriter: Sendable {
  private let isCSV: Bool
  private let isJSON: Bool

  init(isCSV: Bool, isJSON: Bool) {
    self.isCSV = isCSV
    self.isJSON = isJSON
    guard isCSV else { return }
    var output = Output()
    output.line(AuditRow.csvHeader + ",after")
    output.flush()
  }

  func write(_ rows: some Sequence<AuditRow>) {
    var output = Output()
    for row in rows {
      if isCSV {
        output.line("\(row.csv),\(row.position?.description ?? "")")
      } else if isJSON {
        output.json(row)
      } else {
        let fields = [row.kind.rawValue, row.jail, row.id, row.user].filter { !$0.isEmpty }.map(printable)
        output.line("\(LocalTime.text(row.time))  \(fields.joined(separator: "  "))  \(printable(row.story))")
      }
    }
    output.flush()
  }
}
