import AuditLog
import HTTPServing
import Inspection
import Model
import System

struct ActivityQuestion: Sendable {
  static let mostRows = 4096

  var filter = ActivityFilter()
  var limit: Int

  static let parameters: [About.Parameter] =
    TimeRange.parameters + [
      .text("ip", "An address, or a block."), .text("user", "Who did it, or to whom."), .text("jail", "Of this jail."),
      .words("event", ActivityEvent.allCases.map(\.rawValue), "What was done.", isRepeated: true),
      .integer("limit", "So many rows, 1 to 4096."), .integer("before", "Rows with a smaller number."),
      .integer("after", "Rows with a larger number, oldest first."),
    ]

  init(_ request: HTTPRequest) throws(RequestError) {
    let now = SystemClock.now()
    filter.since = try request.time("since", now: now)
    filter.until = try request.time("until", now: now)
    filter.subnet = try request.subnet("ip")
    filter.user = request.query("user")
    filter.jail = request.query("jail")
    filter.events = try request.words("event")
    filter.before = try request.number("before", in: 0...Int.max).map(Int64.init)
    filter.after = try request.number("after", in: 0...Int.max).map(Int64.init)
    limit = try request.number("limit", in: 1...Self.mostRows) ?? Self.mostRows
  }
}

struct AlertQuestion: Sendable {
  var filter = AlertFilter()
  var limit: Int
  var hasLines: Bool

  static let parameters: [About.Parameter] =
    TimeRange.parameters + [
      .text("ip", "An address, or a block."), .text("user", "The account that it is about."),
      .words("kind", Alert.Kind.allCases.map(\.rawValue), "What kind of alert.", isRepeated: true),
      .integer("limit", "So many, 1 to 4096."), .integer("before", "Alerts with a smaller number."),
      .integer("number", "This one."), .words("lines", ["true", "false"], "With the lines that raised them."),
    ]

  init(_ request: HTTPRequest) throws(RequestError) {
    let now = SystemClock.now()
    filter.since = try request.time("since", now: now)
    filter.until = try request.time("until", now: now)
    filter.subnet = try request.subnet("ip")
    filter.user = request.query("user")
    filter.kinds = try request.words("kind")
    filter.before = try request.number("before", in: 0...Int.max).map(Int64.init)
    filter.number = try request.number("number", in: 0...Int.max).map(Int64.init)
    limit = try request.number("limit", in: 1...4096) ?? 4096
    switch request.query("lines") {
    case nil, "false": hasLines = false
    case "true": hasLines = true
    case let text?: throw RequestError(.invalid, "`lines` is \(text); it is true or false")
    }
  }
}
