public import ArgumentParser
import AuditLog
import Glibc
import Inspection
public import Model
import Service
import System

struct ActivityCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "activity",
    abstract: "Who logged in, from where, and what they did.",
    discussion: """
      Examples:
        bailiff activity --since 24h
        bailiff activity --user alice --event login
        bailiff activity --event command --event change --json
        bailiff activity --follow

      Logins, logouts, sessions, commands that were run as somebody else, changes of accounts: as far as the filters of the \
      jails tell (`bailiff filter explain pam`). Newest first; a table shows 100 rows, JSON has all, unless --limit says \
      otherwise. --follow begins with what is new. What a person should look at is in `bailiff alerts`.
      """)

  @OptionGroup var range: RangeOptions
  @Option(help: ArgumentHelp("An address or a block.", valueName: "cidr"))
  var ip: String?
  @Option(help: "Who did it, or to whom, exactly.")
  var user: String?
  @Option(help: "A jail.")
  var jail: String?
  @Option(help: "login, logout, session, command or change; may be repeated.")
  var event: [ActivityEvent] = []
  @Option(help: "At most so many rows.")
  var limit: Int?
  @Flag(help: "Go on with new rows as they come, until Ctrl-C.")
  var follow = false
  @OptionGroup var config: ConfigOptions
  @OptionGroup var format: JSONOption

  func validate() throws {
    if let limit, limit < 1 { throw ValidationError("--limit needs at least 1") }
    if follow, range.until != nil { throw ValidationError("--follow goes on with what is new; leave --until out") }
  }

  func run() throws {
    var filter = ActivityFilter()
    (filter.since, filter.until) = try range.range()
    filter.subnet = try parseSubnet(ip)
    filter.user = user
    filter.jail = jail
    filter.events = Set(event)
    let past = try Past(config)
    if follow { return try goOn(past, filter) }
    var left = limit ?? (format.json ? .max : 100)
    var output = Output()
    var table = ActivityTable()
    var isFull = false
    while left > 0 {
      let rows = try past.activities(filter, limit: min(left, 4096))
      for row in rows { if format.json { output.json(row) } else { table.add(row) } }
      left -= rows.count
      filter.before = rows.last?.number
      isFull = left == 0
      guard rows.count == 4096 else { break }
    }
    if !format.json {
      table.print(to: &output)
      if isFull { output.line("there is more: --limit \((limit ?? 100) * 10), or --since") }
    }
    output.flush()
  }

  /// With --limit or --since older rows come first.
  private func goOn(_ past: Past, _ filter: ActivityFilter) throws {
    Signals.block()
    var filter = filter
    var newest = filter
    (newest.since, newest.events, newest.user, newest.subnet, newest.jail) = (nil, [], nil, nil, nil)
    let last = try past.activities(newest, limit: 1).first?.number ?? 0
    if limit != nil || filter.since != nil {
      write(try past.activities(filter, limit: limit ?? 1000).reversed())
    }
    filter.after = last
    let isEnding = Monitor(false)
    let (json, start) = (format.json, filter)
    _ = ServiceThread("bailiff-follow") {
      var filter = start
      var isFailing = false
      while !isEnding.change({ $0 }) {
        do {
          let rows = try past.activities(filter, limit: 1000)
          ActivityTable.write(rows, isJSON: json)
          filter.after = rows.last?.number ?? filter.after
          isFailing = false
        } catch {
          // Once, not four times a second, as long as a daemon that is restarted is away.
          if !isFailing { Diagnostics.write("bailiff: \(error)\n") }
          isFailing = true
        }
        ServiceThread.sleep(seconds: 0.25)
      }
    }
    Signals.wait()
    isEnding.change { $0 = true }
  }

  private func write(_ rows: [ActivityReply]) { ActivityTable.write(rows, isJSON: format.json) }
}

/// Activities for people.
struct ActivityTable {
  private var table = Table([
    .text("TIME"), .text("EVENT"), .rest("USER"), .text("FROM"), .text("JAIL"), .rest("WHAT"),
  ])
  private var isEmpty = true

  mutating func add(_ row: ActivityReply) {
    isEmpty = false
    table.add([
      LocalTime.text(row.time), row.event.rawValue, row.user ?? "", row.address ?? "", row.jail, Self.what(row),
    ])
  }

  func print(to output: inout Output) {
    if isEmpty { output.line("nothing matches") } else { table.print(to: &output, on: Terminal()) }
  }

  static func what(_ row: ActivityReply) -> String {
    let target = row.target.map { "as \($0)" }
    return [target, row.detail].compactMap { $0 }.joined(separator: ": ")
  }

  /// Rows as they come.
  static func write(_ rows: [ActivityReply], isJSON: Bool) {
    guard !rows.isEmpty else { return }
    var output = Output()
    for row in rows {
      if isJSON {
        output.json(row)
      } else {
        let fields = [row.event.rawValue, row.jail, row.user ?? "", row.address ?? "", Self.what(row)]
        output.line(
          "\(LocalTime.text(row.time))  \(fields.filter { !$0.isEmpty }.map(printable).joined(separator: "  "))")
      }
    }
    output.flush()
  }
}

extension ActivityEvent: ExpressibleByArgument {}
