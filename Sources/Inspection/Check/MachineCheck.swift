internal import Filters
internal import Firewall
internal import Glibc
internal import LogSources
internal import Matching
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
    for jail in settings.jails where jail.enabled && jail.source == .logs {
      logs(of: jail)
      lines(of: jail)
    }
    firewall(settings)
  }

  /// What is missing for bans to hold. A chain may yet come, when the program that makes it starts.
  private mutating func firewall(_ settings: Settings) {
    let place = Place(file: settings.file, line: 0, column: 0)
    for problem in settings.firewall.choice.backend.obstacles(chains: settings.firewall.chains ?? []) {
      let error = SettingsError(place, "`firewall`: \(problem.text)", remedy: problem.remedy)
      if problem.isFatal { errors.append(error) } else { warnings.append(error) }
    }
  }

  /// Files of which the filter understands nothing, by their last lines.
  private mutating func lines(of jail: JailSettings) {
    guard let definition = jail.definition, case .native = definition.rules else { return }
    var compiled: Filter?  // only where there are lines: compiling is what costs
    for path in jail.sources().files.flatMap({ LogTail.files($0) }).prefix(Self.mostFiles) {
      guard let lines = try? LogTail.lines(of: path), !lines.isEmpty else { continue }
      guard let filter = compiled ?? (try? FilterLoading.compile(definition)) else { return }
      compiled = filter
      guard let problem = LogExamination(of: lines, by: [filter]).problem else { continue }
      warnings.append(
        SettingsError(
          jail.place, "\(path): \(problem)", remedy: "`bailiff filter detect \(path)` tells which filter fits",
          jail: jail.name))
    }
  }

  /// A glob may name thousands.
  private static let mostFiles = 50

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
