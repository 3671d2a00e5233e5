import API
import ArgumentParser
import Model
import System

/// `bailiff ban`; `Ban` itself is the model's.
struct BanNow: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ban",
    abstract: "Ban an address, a block or a name now.",
    discussion: """
      Examples:
        bailiff ban 192.0.2.7 --for 1h
        bailiff ban 2001:db8:7::/64 --jail sshd
        bailiff ban 198.51.100.0/24 --confirm 60s

      With --confirm the ban lifts itself unless `bailiff confirm` follows in time: for those who might ban themselves.
      Bans of ignored addresses, of your own session's, of the gateway or a resolver, and of blocks wider than /16 (IPv6: \
      /32) need --force. Who banned, and when, is in the audit.
      """)

  @Argument(help: "An address, a block (192.0.2.0/24), or a name.")
  var id: String
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
  @OptionGroup var config: ConfigOptions
  @OptionGroup var format: JSONOption

  func validate() throws {
    try checkID(id)
    if let confirm, confirm.seconds < 1 { throw ValidationError("--confirm needs at least one second") }
  }

  func run() throws {
    let reply = try config.client().ban(
      BanRequest(id: id, jail: jail, bantime: length, force: force, confirm: confirm?.seconds))
    var output = Output()
    if format.json { output.json(reply) } else { reply.print(to: &output, verb: "banned") }
    output.flush()
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

  func validate() throws { try checkID(id) }

  func run() throws {
    let reply = try config.client().confirm(ConfirmRequest(id: id))
    var output = Output()
    if format.json { output.json(reply) } else { reply.print(to: &output, verb: "confirmed") }
    output.flush()
  }
}

/// What looks like an address or a block must be one: a ban of the name `192.0.2.7/33` would block nobody.
func checkID(_ id: String) throws {
  guard !id.isEmpty else { throw ValidationError("the id is empty; give an address, a block or a name") }
  guard Identity(id).subnet == nil else { return }
  let first = id.split(separator: "/", omittingEmptySubsequences: false).first ?? ""
  if Address(first) != nil {
    throw ValidationError(
      "`\(printable(id))` is no block; write ADDRESS/0 to 32, or to 128 for IPv6, such as 192.0.2.0/24")
  }
  let looksNumeric = id.utf8.allSatisfy { ($0 >= 48 && $0 <= 57) || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "/") }
  let hex = "0123456789abcdefABCDEF:./%"
  if looksNumeric || (id.contains("::") && id.allSatisfy { hex.contains($0) }) {
    throw ValidationError("`\(printable(id))` is no address; write 192.0.2.7, 2001:db8::7 or a block of them")
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
