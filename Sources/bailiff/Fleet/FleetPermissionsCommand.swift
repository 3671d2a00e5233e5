import ArgumentParser
import Fleet
import Model
import Settings
import System

struct FleetPermissions: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "permissions",
    abstract: "What nats-server must let a server of the fleet do, and nothing more.",
    discussion: """
      For nats-server's `authorization`, a line a server. With nsc the same subjects are given to `nsc add user --allow-pub … \
      --allow-sub …`.

      Examples:
        bailiff fleet permissions web-17 --site fra1
        bailiff fleet permissions web-1 --site fra1 --aggregate
        bailiff fleet permissions ann --site office --operator
      """)

  @Argument(help: "The server's name in its settings, or the operator's.")
  var name: String
  @Option(help: "Its site in the settings.")
  var site = "main"
  @Flag(help: "It decides for the fleet, too.")
  var aggregate = false
  @Flag(help: "It is a person's, who gives orders.")
  var `operator` = false

  func validate() throws {
    if aggregate, `operator` { throw ValidationError("--aggregate and --operator exclude each other") }
    for text in [name, site] where !FleetSettings.isName(text) {
      throw ValidationError("`\(printable(text))` is no name: use letters, digits, `-` and `_`")
    }
  }

  func run() {
    var output = Output()
    output.line(
      "{user: \"\(name)\", password: \"…\", permissions: "
        + (`operator`
          ? Permissions.operator(site: site, name: name)
          : Permissions.node(site: site, name: name, aggregates: aggregate)) + "}")
    output.flush()
  }
}
