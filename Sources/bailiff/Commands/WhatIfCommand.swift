import ArgumentParser
import Inspection
import Model
import System

struct WhatIfCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "what-if",
    abstract: "Other limits of a jail over the recorded past: who would have been banned, and who not.",
    discussion: """
      Examples:
        bailiff what-if --jail sshd --maxretry 3
        bailiff what-if --jail sshd --findtime 1d --since 90d --json | jq .then
        bailiff what-if --jail sshd --maxretry 2 --id 192.0.2.7

      The daemon's own detector counts the recorded failures twice: under the limits in force, and under these. Who logged in \
      successfully from an address, and lists that spare it, are told: it may be somebody who should not be banned.

      Who was banned could not go on, so under milder limits there would have been more failures than are recorded. For settings \
      that are in no store yet there is `bailiff replay`. Exits 4 when the other limits would ban somebody whom something speaks for.
      """)

  @Option(help: "Which jail.")
  var jail: String
  @Option(help: "In place of the jail's.")
  var maxretry: Int?
  @Option(help: ArgumentHelp("In place of the jail's: 10m.", valueName: "time"), transform: parseSpan)
  var findtime: TimeSpan?
  @Option(help: ArgumentHelp("In place of the jail's: 1h, permanent.", valueName: "time"))
  var bantime: String?
  @Option(help: "Of this address or block alone.")
  var id: String?
  @Option(help: ArgumentHelp("From then on: 7d, yesterday, 2026-11-21, RFC 3339.", valueName: "time"))
  var since = "30d"
  @Option(help: ArgumentHelp("Before then; now unless given.", valueName: "time"))
  var until: String?
  @Option(help: "So many names of each kind.")
  var limit = 20
  @OptionGroup var config: ConfigOptions
  @OptionGroup var format: JSONOption

  func validate() throws {
    if maxretry == nil, findtime == nil, bantime == nil {
      throw ValidationError("which other limits? give --maxretry, --findtime or --bantime")
    }
    if !(1...10_000).contains(limit) { throw ValidationError("--limit is a number from 1 to 10000") }
  }

  func run() throws {
    let start = try parsePast(since, option: "--since")
    let end = try until.map { try parsePast($0, option: "--until") } ?? SystemClock.now()
    guard start < end else { throw CommandFailure(.usage, "--since is not before --until; swap them") }
    let subnet = try id.map { text in
      guard let subnet = Subnet(text) else {
        throw CommandFailure(.usage, "`\(printable(text))` is no address or block; write 192.0.2.7 or 192.0.2.0/24")
      }
      return subnet
    }
    let limits = WhatIfLimits(
      maxretry: maxretry, findtime: findtime,
      bantime: try bantime.map { $0 == "permanent" ? .seconds(-1) : try parseSpan($0) })
    let reply = try Past(config).whatIf(
      WhatIf(jail: jail, limits: limits, since: start, until: end, subnet: subnet, limit: limit))
    var output = Output()
    if format.json { output.json(reply) } else { reply.print(to: &output, on: Terminal()) }
    output.flush()
    if reply.more.contains(where: { !$0.honest.isEmpty }) { throw CommandFailure(.attention) }
  }
}

extension WhatIfReply {
  fileprivate func print(to output: inout Output, on terminal: Terminal) {
    func span(_ seconds: Int64?) -> String { seconds.map { TimeSpan.seconds($0).brief } ?? "permanent" }
    output.line(
      "\(counted(failures, "failure")) of jail \(printable(jail)), \(LocalTime.text(since)) to \(LocalTime.text(until))"
    )
    if let readThrough { output.line("there is more than was counted: only up to \(LocalTime.text(readThrough))") }
    output.line()
    var sides = Table([
      .text(""), .number("MAXRETRY"), .text("FINDTIME"), .text("BANTIME"), .number("BANS"), .number("BANNED"),
      .number("HONEST?"),
    ])
    for (name, side) in [("in force", now), ("what if", then)] {
      sides.add([
        name, "\(side.maxretry)", span(side.findtime), span(side.bantime), grouped(side.bans), grouped(side.banned),
        grouped(side.honest),
      ])
    }
    sides.print(to: &output, on: terminal)
    Self.print("banned in addition", more, of: moreCount, to: &output, on: terminal)
    Self.print("spared", fewer, of: fewerCount, to: &output, on: terminal)
    output.line()
    output.line("banned either way: \(grouped(both))")
  }

  private static func print(
    _ title: String, _ candidates: [Candidate], of count: Int, to output: inout Output, on terminal: Terminal
  ) {
    output.line()
    output.line("\(title): \(grouped(count))")
    guard !candidates.isEmpty else { return }
    var table = Table([.text("  ADDRESS"), .text("FIRST BAN"), .number("BANS"), .rest("WHAT SPEAKS FOR IT")])
    for one in candidates {
      table.add(
        ["  " + one.id, LocalTime.text(one.time), "\(one.bans)", one.honest.joined(separator: "; ")],
        style: one.honest.isEmpty ? nil : .red)
    }
    table.print(to: &output, on: terminal)
    if count > candidates.count { output.line("  … and \(grouped(count - candidates.count)) more (--limit)") }
  }
}
