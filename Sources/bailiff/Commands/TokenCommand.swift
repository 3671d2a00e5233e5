import API
import ArgumentParser
import Model
import System

struct TokenCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "token",
    abstract: "Tokens, with which programs use the API over TCP.",
    discussion: """
      A token has a role: `look` may ask, `operate` may ban, lift and reload too, `administer` may make tokens. The API listens where
      `api: {listen: …}` says (docs/api.md).

        bailiff token add panel --role look --expires 90d
        bailiff token list
        bailiff token revoke panel
      """,
    subcommands: [TokenAdd.self, TokenList.self, TokenRevoke.self])
}

func parseRole(_ text: String) throws -> Role {
  guard let role = Role(rawValue: text) else {
    throw ValidationError(
      "`\(printable(text))` is no role; write \(Role.allCases.map(\.rawValue).joined(separator: ", "))")
  }
  return role
}

struct TokenAdd: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "add",
    abstract: "Make a token, which is printed this once.",
    discussion: """
      Examples:
        bailiff token add panel
        bailiff token add ci --role operate --expires 90d
      """)

  @Argument(help: "What it is called in the audit.")
  var name: String
  @Option(help: "What it may: look, operate or administer.", transform: parseRole)
  var role = Role.look
  @Option(help: ArgumentHelp("When it ends: 90d. Without it, never.", valueName: "time"), transform: parseSpan)
  var expires: TimeSpan?
  @OptionGroup var config: ConfigOptions
  @OptionGroup var format: JSONOption

  func run() throws {
    let reply = try config.client().addToken(TokenRequest(name: name, role: role, expires: expires?.seconds))
    var output = Output()
    if format.json { output.json(reply) } else { output.line(reply.token) }
    output.flush()
  }
}

struct TokenList: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list",
    abstract: "The tokens, without their secrets.",
    discussion: """
      Example:
        bailiff token list
      """)

  @OptionGroup var config: ConfigOptions
  @OptionGroup var format: JSONOption

  func run() throws {
    var tokens: [TokenReply] = []
    try config.client().tokens { (page) throws(RequestError) in tokens += page }
    var output = Output()
    var table = Table([.text("NAME"), .text("ROLE"), .text("EXPIRES"), .text("LAST USED"), .rest("MADE")])
    for token in tokens {
      if format.json {
        output.json(token)
        continue
      }
      table.add([
        token.name, token.role.rawValue, token.expires.map(LocalTime.text) ?? "never",
        token.lastUsed.map(LocalTime.text) ?? "never", LocalTime.text(token.created),
      ])
    }
    if !format.json { if tokens.isEmpty { output.line("no tokens") } else { table.print(to: &output, on: Terminal()) } }
    output.flush()
  }
}

struct TokenRevoke: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "revoke",
    abstract: "Revoke a token at once.",
    discussion: """
      Example:
        bailiff token revoke panel

      Exits 1 when there is no such token.
      """)

  @Argument(help: "The token's name.")
  var name: String
  @OptionGroup var config: ConfigOptions
  @OptionGroup var format: JSONOption

  func run() throws {
    let reply = try config.client().revokeToken(name)
    var output = Output()
    if format.json { output.json(reply) } else { output.line("revoked \(printable(reply.name))") }
    output.flush()
  }
}
