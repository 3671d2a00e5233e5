import API
import ArgumentParser
import Model
import System

struct Bans: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bans",
    abstract: "The bans in force.",
    discussion: """
      Examples:
        bailiff bans
        bailiff bans --jail sshd --json | jq -r .id

      APPLIED is no where the firewall does not hold the ban: in a dry run, and for names.
      """)

  @OptionGroup var config: ConfigOptions
  @Option(help: "Only this jail's.")
  var jail: String?
  @OptionGroup var format: JSONOption

  func run() throws {
    let client = try config.client(deadline: 120)
    var output = Output()
    if format.json {
      try client.bansAsJSON(BansRequest(jail: jail)) { output.write(Array($0)) }
    } else {
      var bans: [BanReply] = []
      try client.bans(BansRequest(jail: jail)) { bans += $0 }
      print(bans, to: &output)
    }
    output.flush()
  }

  private func print(_ bans: [BanReply], to output: inout Output) {
    guard !bans.isEmpty else {
      output.line("no bans in force" + (jail.map { " in jail \(printable($0))" } ?? ""))
      return
    }
    let now = SystemClock.now()
    let hasOrigins = bans.contains { !$0.origin.isEmpty }
    var table = Table(
      [
        .text("ID"), .text("JAIL"), .text("SINCE"), .text("UNTIL"), .number("LEFT"), .number("FAILURES"),
        .number("BAN"),
        .text("APPLIED"),
      ] + (hasOrigins ? [.rest("FROM")] : []))
    for ban in bans {
      let until = ban.until
      table.add(
        [
          ban.id, ban.jail, LocalTime.text(ban.since), until.map(LocalTime.text) ?? "permanent",
          until.map { max(.zero, $0.since(now)).brief } ?? "", grouped(ban.count), "\(ban.number)",
          ban.applied ? "yes" : "no",
        ] + (hasOrigins ? [ban.origin.text] : []))
    }
    table.print(to: &output, on: Terminal())
    output.line(counted(bans.count, "ban"))
  }
}

extension BanReply {
  /// `192.0.2.7 in jail sshd until 2026-11-21 06:24:01 CET`.
  var sentence: String {
    let end = until.map { "until \(LocalTime.text($0))" } ?? "for ever"
    return "\(printable(id)) in jail \(printable(jail)) \(end)"
  }
}
