internal import Settings
internal import Synchronization

/// One connection for all of a server's parts, opened when the first of them needs it: a machine without libnats runs, and says what
/// is missing. One that libnats has given up is opened again, with the password as it is then.
final class FleetConnection: Sendable {
  private let settings: FleetSettings
  private let role: String
  private let connection = Mutex<NATSConnection?>(nil)

  init(_ settings: FleetSettings, role: String) {
    self.settings = settings
    self.role = role
  }

  func open() throws(FleetError) -> NATSConnection {
    try connection.withLock { (held) throws(FleetError) in
      if let held, !held.isClosed { return held }
      let made = try NATSConnection(settings, role: role)
      held = made
      return made
    }
  }
}
