import ArgumentParser
import Fleet
import Settings

struct FleetGroup: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fleet",
    abstract: "Servers that count together: what there is, who tells, who saw an address.",
    discussion: """
      A fleet is in the settings, under `fleet:` (docs/fleet.md). These commands ask the NATS servers themselves.

        bailiff fleet init
        bailiff fleet status
        bailiff fleet nodes
        bailiff fleet explain 192.0.2.7
        bailiff fleet permissions web-17 --site fra1
        bailiff fleet key /etc/bailiff/fleet-operator.key
      """,
    subcommands: [
      FleetInit.self, FleetStatusCommand.self, FleetNodes.self, FleetExplain.self, FleetPermissions.self, FleetKey.self,
    ])
}

extension ConfigOptions {
  /// The settings' fleet.
  func fleet() throws -> FleetSettings {
    guard let fleet = try general().fleet else {
      throw CommandFailure(.usage, "\(path) has no `fleet`; write fleet: {servers: [nats://HOST:4222]} (docs/fleet.md)")
    }
    return fleet
  }

  func streams() throws -> FleetStreams {
    let fleet = try fleet()
    return try failing { () throws(FleetError) in try FleetStreams(fleet) }
  }
}

/// What the fleet says no to, as commands say it.
func failing<Value>(_ body: () throws(FleetError) -> Value) throws(CommandFailure) -> Value {
  do { return try body() } catch { throw CommandFailure(.rejected, error.description) }
}
