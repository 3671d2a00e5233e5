import API
import ArgumentParser
import Model
import System

struct Unban: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "unban",
    abstract: "Lift the bans of an id, or all bans.",
    discussion: """
      Examples:
        bailiff unban 192.0.2.7
        bailiff unban 192.0.2.7 --jail sshd
        bailiff unban --all

      The history stays, so an id that comes back is banned longer where bantime_increment says so.
      Exits 1 when the id is not banned.
      """)

  @Argument(help: "What is banned: an address, a block or a name, as `bailiff bans` shows it.")
  var id: String?
  @Flag(help: "Every ban.")
  var all = false
  @Option(help: "Only in this jail.")
  var jail: String?
  @OptionGroup var config: ConfigOptions
  @OptionGroup var format: JSONOption

  func validate() throws {
    guard (id != nil) != all else { throw ValidationError("give an id, or --all") }
    if let id { try checkID(id) }
  }

  func run() throws {
    let client = try config.client(deadline: 60)
    let reply: UnbannedReply
    if let id {
      reply = try client.unban(UnbanRequest(id: id, jail: jail))
    } else {
      reply = try client.unbanAll(UnbanAllRequest(jail: jail))
    }
    var output = Output()
    if format.json {
      output.json([
        ("id", .text(id)), ("count", .number(reply.count)), ("jails", .texts(reply.jails)),
        ("ids", .texts(reply.ids ?? [])),
      ])
    } else {
      let what = id.map { printable($0) } ?? counted(reply.count, "ban")
      let jails = reply.jails.map(printable).joined(separator: ", ")
      output.line(id == nil && reply.count == 0 ? "no bans in force" : "unbanned \(what) in jail \(jails)")
      for block in reply.ids ?? [] where id.map({ Identity($0).description != block }) ?? false {
        output.line("it was banned as a part of \(printable(block)): all of that is lifted")
      }
    }
    output.flush()
  }
}
