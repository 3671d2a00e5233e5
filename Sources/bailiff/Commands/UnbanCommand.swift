import API
import ArgumentParser
import Fleet
import Model
import System

struct Unban: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "unban",
    abstract: "Lift the bans of ids, or all bans.",
    discussion: """
      Examples:
        bailiff unban 192.0.2.7
        bailiff unban 192.0.2.7 2001:db8::8 --jail sshd
        bailiff unban 198.51.100.0/24
        bailiff bans --json | jq -r .id | bailiff unban -
        bailiff unban --all

      A block lifts every ban within it; with --exact only that of the block itself. With - the ids come from standard
      input, with blanks or line ends between them.

      With --fleet it is lifted on every server of the fleet (docs/fleet.md).

      The history stays, so an id that comes back is banned longer where bantime_increment says so.
      Exits 1 when an id is not banned.
      """)

  @Argument(help: "What is banned: addresses, blocks or names, as `bailiff bans` shows them.")
  var ids: [String] = []
  @Flag(help: "Every ban.")
  var all = false
  @Flag(help: "A block itself, not what is within it.")
  var exact = false
  @Option(help: "Only in this jail.")
  var jail: String?
  @OptionGroup var fleet: FleetOption
  @OptionGroup var config: ConfigOptions
  @OptionGroup var format: JSONOption

  func validate() throws {
    guard ids.isEmpty == all else { throw ValidationError("give ids, or --all") }
    if fleet.isFleet, all || exact { throw ValidationError("--fleet takes ids, and neither --all nor --exact") }
    if all, exact { throw ValidationError("--exact is for blocks; --all lifts everything") }
    try IDArguments.check(ids)
  }

  func run() throws {
    guard !fleet.isFleet else {
      return try fleet.give(IDArguments.expand(ids).map { try FleetOption.order(.unban, $0, jail: jail) }, config)
    }
    let client = try config.client(deadline: 60)
    let reply: UnbannedReply
    if all {
      reply = try client.unbanAll(UnbanAllRequest(jail: jail))
    } else {
      let wanted = try IDArguments.expand(ids)
      let request =
        wanted.count == 1
        ? UnbanRequest(id: wanted[0], jail: jail, exact: exact ? true : nil)
        : UnbanRequest(ids: wanted, jail: jail, exact: exact ? true : nil)
      reply = try client.unban(request)
    }
    var output = Output()
    if format.json { output.json(reply) } else { print(reply, to: &output) }
    output.flush()
    guard reply.notBanned.isEmpty else { throw CommandFailure(.rejected) }
  }

  private func print(_ reply: UnbannedReply, to output: inout Output) {
    let jails = reply.jails.reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }
    let places = jails.map(printable).joined(separator: ", ")
    if all {
      output.line(reply.count == 0 ? "no bans in force" : "unbanned \(counted(reply.count, "ban")) in jail \(places)")
      return
    }
    let what = reply.id.map { printable($0) } ?? counted(reply.ids.count, "id")
    output.line("unbanned \(what) in jail \(places)")
    for block in reply.ids where block != reply.id.map({ Identity($0).description }) {
      let isWithin = reply.id.flatMap { Identity($0).subnet }.map { !$0.isSingleAddress } ?? true
      output.line(
        isWithin ? "  \(printable(block))" : "it was banned as a part of \(printable(block)): all of that is lifted")
    }
    for block in reply.covering ?? [] {
      output.line(
        "\(printable(block.id)) in jail \(printable(block.jail)) goes on covering it: bailiff unban \(printable(block.id)) lifts that"
      )
    }
    for id in reply.notBanned { output.line("\(printable(id)) is not banned") }
  }
}
