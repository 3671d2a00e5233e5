import API
import ArgumentParser
import Fleet
import Model
import System

struct AllowCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "allow",
    abstract: "Spare an address or a block in every jail and list, or show who is spared so.",
    discussion: """
      Examples:
        bailiff allow 192.0.2.7 --for 2h --why "the auditors' scanner"
        bailiff allow 198.51.100.0/24
        bailiff allow
        bailiff disallow 192.0.2.7

      With --fleet it is spared on every server of the fleet, whatever they decide together (docs/fleet.md).

      Its bans are lifted, its failures are recorded and not counted, and no blocklist blocks it. It holds over restarts. For
      what holds for ever, write `ignoreip` or an allow list into the settings.
      """)

  @Argument(help: "An address or a block (192.0.2.0/24); without one, those who are allowed are listed.")
  var id: String?
  @Option(
    name: .customLong("for"),
    help: ArgumentHelp("How long: 10m, 2h, 3d. Without it, until `disallow`.", valueName: "time"),
    transform: parseSpan)
  var length: TimeSpan?
  @Option(help: "Why, for the audit and for whoever looks later.")
  var why: String?
  @OptionGroup var fleet: FleetOption
  @OptionGroup var config: ConfigOptions
  @OptionGroup var format: JSONOption

  func validate() throws {
    if fleet.isFleet, id == nil { throw ValidationError("--fleet needs an address or a block to allow") }
    guard let id else {
      guard length == nil, why == nil else { throw ValidationError("give an address or a block to allow") }
      return
    }
    try IDArguments.check(id)
    guard Identity(id).subnet != nil else {
      throw ValidationError("`\(printable(id))` is no address; give one, or a block such as 192.0.2.0/24")
    }
    if let length, length.seconds < 1 { throw ValidationError("--for needs at least one second") }
  }

  func run() throws {
    if fleet.isFleet, let id {
      return try fleet.give([FleetOption.order(.allow, id, for: length, why: why ?? "")], config)
    }
    let client = try config.client()
    var output = Output()
    if let id {
      let reply = try client.allow(AllowRequest(id: id, time: length?.seconds, why: why))
      if format.json {
        output.json(reply)
      } else {
        output.line("allowed \(printable(reply.id)) \(reply.end)")
      }
    } else {
      let all = try client.allowed()
      if format.json {
        for reply in all { output.json(reply) }
      } else if all.isEmpty {
        output.line("nobody is allowed by a command; `ignoreip` and allow lists are in the settings")
      } else {
        var table = Table([.text("ID"), .text("SINCE"), .text("UNTIL"), .number("UID"), .rest("WHY")])
        for reply in all {
          table.add([
            reply.id, LocalTime.text(reply.since), reply.until.map(LocalTime.text) ?? "disallow", "\(reply.uid)",
            reply.why,
          ])
        }
        table.print(to: &output, on: Terminal())
      }
    }
    output.flush()
  }
}

struct DisallowCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "disallow",
    abstract: "Take back what `allow` said.",
    discussion: """
      Example:
        bailiff disallow 192.0.2.7

      From then on its failures count, and blocklists block it. Exits 1 when nobody allowed it.
      """)

  @Argument(help: "The address or block, as `bailiff allow` lists it.")
  var id: String
  @OptionGroup var fleet: FleetOption
  @OptionGroup var config: ConfigOptions
  @OptionGroup var format: JSONOption

  func validate() throws { try IDArguments.check(id) }

  func run() throws {
    guard !fleet.isFleet else { return try fleet.give([FleetOption.order(.disallow, id)], config) }
    let reply = try config.client().disallow(id)
    var output = Output()
    if format.json { output.json(reply) } else { output.line("\(printable(reply.id)) is not allowed any more") }
    output.flush()
  }
}

extension AllowedReply {
  fileprivate var end: String { until.map { "until \(LocalTime.text($0))" } ?? "until `bailiff disallow \(id)`" }
}
