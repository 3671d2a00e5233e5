internal import Filters
internal import Glibc
internal import LogSources
internal import Model
internal import Pipeline
public import Settings
internal import System

/// What `run` would meet on this machine: tried by the code that `run` uses, and left as it was.
public struct MachineCheck: Sendable {
  public var errors: [SettingsError] = []
  public var warnings: [SettingsError] = []

  public init(_ settings: Settings) {
    state(settings)
    for jail in settings.jails where jail.enabled && jail.source == .logs { logs(of: jail) }
  }

  private mutating func state(_ settings: Settings) {
    do throws(RequestError) {
      try StateDirectory.probe(settings.state)
    } catch {
      let problem = SettingsError(
        Place(file: settings.file, line: 0, column: 0), error.message, remedy: error.remedy ?? "")
      // The daemon runs as root, or as a user that its unit makes the directory for.
      if geteuid() == 0 { errors.append(problem) } else { warnings.append(problem) }
    }
  }

  /// Files that are there and cannot be read as logs.
  private mutating func logs(of jail: JailSettings) {
    for path in jail.sources().files
    where !path.contains(where: "*?[".contains) {
      guard let status = try? FileStatus.of(path: path) else { continue }
      if status.isDirectory {
        errors.append(
          SettingsError(
            jail.place, "\(path) is a directory, not a log",
            remedy: "name its files, for example \(path.hasSuffix("/") ? path : path + "/")*.log", jail: jail.name))
      } else {
        do { _ = try Descriptor.open(path, flags: O_RDONLY | O_NONBLOCK | O_NOCTTY) } catch {
          unreadable(path, jail, error)
        }
      }
    }
  }

  private mutating func unreadable(_ path: String, _ jail: JailSettings, _ error: SystemError) {
    let reason = "\(path) cannot be read: \(SystemError.text(error.code))"
    if geteuid() == 0 {
      errors.append(SettingsError(jail.place, reason, remedy: "give root the right to read it", jail: jail.name))
    } else {
      warnings.append(
        SettingsError(
          jail.place, "\(reason) for this user", remedy: "try with sudo: the daemon may read it", jail: jail.name))
    }
  }
}
