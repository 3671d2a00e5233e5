import ArgumentParser
import AuditLog
import Glibc
import Inspection
import Model
import Settings
import System

struct Audit: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "audit",
    abstract: "Who, when, why, by which line: failures, bans, unbans and what operators did.",
    discussion: """
      Examples:
        bailiff audit --since 24h --ip 192.0.2.0/24
        bailiff audit --kind ban --kind unban --since yesterday
        bailiff audit --user root --json | jq -r .line
        bailiff audit verify

      Which rows: --since, --until, --ip, --user, --jail, --pattern, --source, --kind, --text; `bailiff audit list --help`
      has them all, with --follow, --limit and --csv.

      It reads the store itself, so it also works while the daemon is down; where this user may not read it, it asks the
      daemon.
      """,
    subcommands: [AuditList.self, AuditVerify.self, AuditCheckpoint.self, AuditExport.self],
    defaultSubcommand: AuditList.self)
}

struct AuditList: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list",
    abstract: "The rows of the audit, newest first. The default.",
    discussion: """
      Examples:
        bailiff audit list --jail sshd --since 1h
        bailiff audit --follow
        bailiff audit --after 5f3c09ab-1204-17-9 --json
        bailiff audit --csv --since 2026-11-01 > november.csv

      Times are this machine's, with the zone shown; JSON and CSV have UTC. A table shows the newest 100 rows; JSON and \
      CSV have all, unless --limit says otherwise. --text is in no index: a table ends after 300,000 rows and says where \
      to go on; --since or --ip make it quick.

      --follow begins with what is new; --limit or --since put older rows before it. With --follow and --after each object \
      and each record ends with its own cursor for --after: a program that keeps the last one misses nothing and is told \
      nothing twice.
      """)

  @OptionGroup var rows: AuditOptions
  @Option(help: "At most so many rows.")
  var limit: Int?
  @Option(help: ArgumentHelp("Where the last page ended.", valueName: "cursor"))
  var before: String?
  @Option(
    help: ArgumentHelp(
      "Rows that were stored after it, in the order of storing: what --follow printed, `now` or `beginning`.",
      valueName: "cursor"))
  var after: String?
  @Flag(help: "Go on with new rows as they come, until Ctrl-C; then says where to go on.")
  var follow = false
  @OptionGroup var config: ConfigOptions
  @Flag(help: "Print comma-separated values.")
  var csv = false
  @OptionGroup var format: JSONOption

  func validate() throws {
    if let limit, limit < 1 { throw ValidationError("--limit needs at least 1") }
    if csv, format.json { throw ValidationError("give --csv or --json, not both") }
    if before != nil, follow || after != nil {
      throw ValidationError("--before pages through what is old; --follow and --after go on with what is new")
    }
  }

  func run() throws {
    let filter = try rows.filter()
    let cursor = try before.map { text throws(CommandFailure) in
      guard let cursor = AuditCursor(text) else {
        throw CommandFailure(.usage, "--before `\(text)` is no cursor; copy it from the end of the page before")
      }
      return cursor
    }
    if follow || after != nil {
      try goOn(try AuditStore.readOnly(path: try config.places().database), filter)
      return
    }
    let past = try Past(config)
    if csv || format.json {
      try stream(past, filter, cursor)
    } else {
      try page(past, filter, cursor)
    }
  }

  /// A text is in no index: so many rows are looked through for a page, which takes about a second.
  private static let mostRead = 300_000

  private func page(_ past: Past, _ filter: AuditFilter, _ cursor: AuditCursor?) throws {
    let page = try past.page(filter, limit: limit ?? 100, before: cursor, mostRead: Self.mostRead)
    var output = Output()
    if page.rows.isEmpty {
      output.line(page.readThrough == nil ? "nothing matches" : "nothing matches so far")
    } else {
      var table = AuditTable()
      for row in page.rows { table.add(row) }
      table.print(to: &output, on: Terminal())
    }
    if let next = page.next {
      let searched = page.readThrough.map { "searched \(grouped(Self.mostRead)) rows, back to \(LocalTime.text($0)); " }
      output.line("\(searched ?? "")older rows: --before \(next)")
    }
    output.flush()
  }

  private func stream(_ past: Past, _ filter: AuditFilter, _ cursor: AuditCursor?) throws {
    var output = Output()
    if csv { output.line(AuditRow.csvHeader) }
    try past.rows(filter, limit: limit, before: cursor) { write($0, to: &output) }
    output.flush()
  }

  private func write(_ row: AuditRow, to output: inout Output) {
    if csv { output.line(row.csv) } else { output.json(row) }
  }

  /// Rows in the order of storing. With --follow first what is there already, oldest first, when a limit or a time asks for
  /// it; then what comes.
  private func goOn(_ reader: AuditReader, _ filter: AuditFilter) throws {
    let position = try AuditFollow.position(after, reader)
    let writer = FollowWriter(isCSV: csv, isJSON: format.json)
    let audit = AuditFollow(path: reader.path, filter: filter) { writer.write($0) }
    guard follow else {
      if let position { try audit.list(after: position, limit: limit, reader) }
      return
    }
    let start = try position ?? reader.end()
    if position == nil, limit != nil || filter.since != nil {
      writer.write(try reader.page(filter, limit: limit ?? 1000).rows.reversed())
    }
    audit.run(after: start)
  }
}

struct AuditVerify: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Is the record whole and unchanged?",
    discussion: """
      Examples:
        bailiff audit verify
        bailiff audit verify --checkpoint 1234:5f3c...

      Every transaction is chained to the one before it by a hash; this works all of them out again and names the first \
      row that was changed, removed or inserted. Whoever can write the store can also compute the chain anew, so keep the \
      checkpoint that this prints somewhere else, and give it back later: then not even that goes unnoticed.
      Exits 1 when the record was changed.
      """)

  @Option(help: "What an earlier verify printed.")
  var checkpoint: String?
  @OptionGroup var config: ConfigOptions
  @OptionGroup var format: JSONOption

  func run() throws {
    let wanted = try checkpoint.map { text throws(CommandFailure) in
      guard let checkpoint = Checkpoint(text) else {
        throw CommandFailure(
          .usage, "--checkpoint `\(text)` is none; write NUMBER:HASH as an earlier verify printed it")
      }
      return checkpoint
    }
    let progress = Progress()
    let found = try Past(config).verify(against: wanted) { rows in
      progress.show { "\(grouped(rows)) rows of failures checked" }
    }
    progress.clear()
    var output = Output()
    if format.json { output.json(found) } else { found.print(to: &output) }
    output.flush()
    if !found.whole { throw CommandFailure(.rejected) }
  }
}

extension VerifyReply {
  fileprivate func print(to output: inout Output) {
    if let problem {
      let time = problem.time.map { ", " + $0.rfc3339() } ?? ""
      output.line(
        "not whole: \(printable(problem.row)) was \(problem.kind) (transaction \(problem.transaction)\(time))")
    }
    if checkpointFound == false {
      output.line("the checkpoint is not part of the chain: the record was written anew after it was taken")
    }
    output.line(
      "\(whole ? "whole: " : "checked: ")\(counted(failures, "row")) of failures, \(counted(decisions, "decision")), "
        + "\(counted(events, "event")) in \(counted(transactions, "transaction"))")
    for (kind, number) in removedThrough.sorted(by: { $0.key < $1.key }) {
      output.line("retention removed \(printable(kind)) rows up to number \(grouped(number))")
    }
    if let checkpoint { output.line("checkpoint \(checkpoint)") }
  }
}
