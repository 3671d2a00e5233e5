import API
import ArgumentParser
import Model
import System

struct UserCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "user",
    abstract: "People who may log in to the dashboard.",
    discussion: """
      The dashboard listens where `api: {listen: …}` says (docs/dashboard.md). Somebody has a role: `look` may see everything,
      `operate` may ban, lift and spare too, `administer` may change users and tokens.

        bailiff user add alice --role operate --totp
        bailiff user set alice --role look
        bailiff user list
        bailiff user remove alice
      """,
    subcommands: [UserAdd.self, UserSet.self, UserList.self, UserRemove.self])
}

/// A password that is typed unseen, twice; or the first line of standard input where that is no terminal.
private func askPassword(for name: String) throws -> String {
  let first = try Password.read("password for \(printable(name)), at least 10 characters: ")
  guard Password.isTyped else { return first }
  guard try Password.read("once more: ") == first else { throw CommandFailure(.usage, "the two are not the same") }
  return first
}

private func tell(_ reply: NewUserReply, _ format: JSONOption) {
  var output = Output()
  if format.json {
    output.json(reply)
  } else {
    output.line("\(printable(reply.name)) may \(reply.role.rawValue)")
    if let totp = reply.totp {
      output.line("for the authenticator program, told this once: \(totp)")
      output.line("otpauth://totp/Bailiff:\(reply.name)?secret=\(totp)&issuer=Bailiff")
    }
  }
  output.flush()
}

struct UserAdd: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "add",
    abstract: "Let somebody log in.",
    discussion: """
      Examples:
        bailiff user add alice
        bailiff user add alice --role operate --totp
        bailiff user add panel < password.txt

      The password is asked for, unseen and twice, or is the first line of standard input.
      """)

  @Argument(help: "What is typed to log in, and what the audit calls them.")
  var name: String
  @Option(help: "What they may: look, operate or administer.", transform: parseRole)
  var role = Role.look
  @Flag(help: "Ask for one-time passwords (TOTP), too; the secret is printed.")
  var totp = false
  @OptionGroup var config: ConfigOptions
  @OptionGroup var format: JSONOption

  func run() throws {
    let client = try config.client()
    var known: [UserReply] = []
    try client.users { (page) throws(RequestError) in known += page }
    guard !known.contains(where: { $0.name == name }) else {
      throw CommandFailure(.rejected, "there is a user \(name) already; bailiff user set \(name) changes them")
    }
    let password = try askPassword(for: name)
    tell(
      try client.setUser(UserRequest(name: name, password: password, role: role, totp: totp ? true : nil)), format)
  }
}

struct UserSet: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "set",
    abstract: "Give somebody another password, role or second factor.",
    discussion: """
      Examples:
        bailiff user set alice --password
        bailiff user set alice --role look
        bailiff user set alice --totp

      Whoever is logged in under the name has to log in again.
      """)

  @Argument(help: "Who.")
  var name: String
  @Flag(help: "Another password, which is asked for.")
  var password = false
  @Option(help: "What they may: look, operate or administer.", transform: parseRole)
  var role: Role?
  @Flag(inversion: .prefixedNo, help: "One-time passwords: a new secret, or none any more.")
  var totp: Bool?
  @OptionGroup var config: ConfigOptions
  @OptionGroup var format: JSONOption

  func validate() throws {
    guard password || role != nil || totp != nil else {
      throw ValidationError("nothing to change; write --password, --role, --totp or --no-totp")
    }
  }

  func run() throws {
    let client = try config.client()
    let text = password ? try askPassword(for: name) : nil
    tell(try client.setUser(UserRequest(name: name, password: text, role: role, totp: totp)), format)
  }
}

struct UserList: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list",
    abstract: "Who may log in.",
    discussion: """
      Example:
        bailiff user list
      """)

  @OptionGroup var config: ConfigOptions
  @OptionGroup var format: JSONOption

  func run() throws {
    var users: [UserReply] = []
    try config.client().users { (page) throws(RequestError) in users += page }
    var output = Output()
    var table = Table([.text("NAME"), .text("ROLE"), .text("ONE-TIME"), .text("LAST LOGIN"), .rest("MADE")])
    for user in users {
      if format.json {
        output.json(user)
        continue
      }
      table.add([
        user.name, user.role.rawValue, user.totp ? "yes" : "no", user.lastLogin.map(LocalTime.text) ?? "never",
        LocalTime.text(user.created),
      ])
    }
    if !format.json { if users.isEmpty { output.line("no users") } else { table.print(to: &output, on: Terminal()) } }
    output.flush()
  }
}

struct UserRemove: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "remove",
    abstract: "Let somebody in no more, at once.",
    discussion: """
      Example:
        bailiff user remove alice

      Exits 1 when there is no such user.
      """)

  @Argument(help: "Who.")
  var name: String
  @OptionGroup var config: ConfigOptions
  @OptionGroup var format: JSONOption

  func run() throws {
    let reply = try config.client().removeUser(name)
    var output = Output()
    if format.json { output.json(reply) } else { output.line("\(printable(reply.name)) may log in no more") }
    output.flush()
  }
}
