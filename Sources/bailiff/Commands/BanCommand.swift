import API
import ArgumentParser
import Fleet
import Model
import System

/// `bailiff ban`; `Ban` itself is the model's.
struct BanNow: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ban",
    abstract: "Ban addresses or blocks now.",
    discussion: """
      Examples:
        bailiff ban 192.0.2.7 --for 1h
        bailiff ban 2001:db8:7::/64 --jail sshd
        bailiff ban 198.51.100.0/24 --confirm 60s
        bailiff ban 192.0.2.7 192.0.2.8 --for 1d
        bailiff ban - --for 1d < addresses.txt

      With - the ids come from standard input, with blanks or line ends between them. One that cannot be banned is said; the \
      others are banned, and the command exits with 1.

      With --fleet every server of the fleet bans it (docs/fleet.md), for 1d unless --for says otherwise; each keeps its own guards.

      With --confirm the ban lifts itself unless `bailiff confirm` follows in time: for those who might ban themselves.
      Bans of ignored addresses, of your own session's, of the gateway or a resolver, and of blocks wider than /16 (IPv6: \
      /32) need --force. Who banned, and when, is in the audit.
      """)

  @Argument(help: "Addresses, or blocks such as 192.0.2.0/24.")
  var ids: [String]
  @Option(help: "The jail that the ban belongs to, whose ports it closes; without it, all ports.")
  var jail: String?
  @Option(
    name: .customLong("for"),
    help: ArgumentHelp("How long: 10m, 1h, 2d, permanent. Without it, as long as the jail bans.", valueName: "time"),
    transform: parseBanTime)
  var length: Int64?
  @Flag(help: "Ban although it is ignored, wide, or your own way in.")
  var force = false
  @Option(
    help: ArgumentHelp("Lift the ban after this time unless it is confirmed.", valueName: "time"),
    transform: parseSpan)
  var confirm: TimeSpan?
  @OptionGroup var fleet: FleetOption
  @OptionGroup var config: ConfigOptions
  @OptionGroup var format: JSONOption

  func validate() throws {
    try IDArguments.check(ids)
    if fleet.isFleet, force || confirm != nil { throw ValidationError("--fleet takes neither --force nor --confirm") }
    if let confirm, confirm.seconds < 1 { throw ValidationError("--confirm needs at least one second") }
  }

  func run() throws {
    let wanted = try IDArguments.expand(ids)
    guard !fleet.isFleet else {
      let span = length.map { $0 < 0 ? nil : TimeSpan.seconds($0) } ?? .hours(24)
      return try fleet.give(wanted.map { try FleetOption.order(.ban, $0, jail: jail, for: span) }, config)
    }
    let client = try config.client()
    var refused: [RequestError] = []
    var output = Output()
    for id in wanted {
      do {
        let reply = try client.ban(
          BanRequest(id: id, jail: jail, bantime: length, force: force, confirm: confirm?.seconds))
        if format.json { output.json(reply) } else { reply.print(to: &output, verb: "banned") }
      } catch {
        // Nobody would hear of the others either.
        guard wanted.count > 1, error.kind == .rejected || error.kind == .invalid else {
          output.flush()
          throw error
        }
        refused.append(error)
      }
    }
    output.flush()
    for error in refused { Diagnostics.write("bailiff: \(printable(error.description))\n") }
    guard refused.isEmpty else { throw CommandFailure(.rejected) }
  }
}

struct Confirm: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "confirm",
    abstract: "Keep a ban that was made with --confirm.",
    discussion: """
      Example:
        bailiff ban 198.51.100.0/24 --confirm 60s
        bailiff confirm 198.51.100.0/24

      Exits 1 when no such ban waits to be confirmed.
      """)

  @Argument(help: "What was banned.")
  var id: String
  @OptionGroup var config: ConfigOptions
  @OptionGroup var format: JSONOption

  func validate() throws { try IDArguments.check(id) }

  func run() throws {
    let reply = try config.client().confirm(ConfirmRequest(id: id))
    var output = Output()
    if format.json { output.json(reply) } else { reply.print(to: &output, verb: "confirmed") }
    output.flush()
  }
}

extension BannedReply {
  fileprivate func print(to output: inout Output, verb: String) {
    output.line("\(verb) \(ban.sentence)")
    for note in notes { output.line("note: \(printable(note))") }
    if let confirmBy {
      output.line(
        "lifts itself at \(LocalTime.text(confirmBy)) unless you run: bailiff confirm \(printable(ban.id))")
    }
  }
}
