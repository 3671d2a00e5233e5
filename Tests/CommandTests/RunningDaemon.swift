import Foundation

/// `bailiff run` as a process of its own, which ends with the test.
final class RunningDaemon {
  private let process = Process()

  /// - Parameters:
  ///   - enter: what goes before the command to run it somewhere else (nsenter).
  ///   - isDryRun: leaves the firewall alone.
  init(
    _ config: String, in enter: [String] = [], isDryRun: Bool = true, environment: [String: String] = [:]
  ) throws {
    let command =
      enter + [Binary.path, "run"] + (isDryRun ? ["--dry-run"] : []) + ["--from-start", "--quiet", "--config", config]
    process.executableURL = URL(fileURLWithPath: command[0])
    process.arguments = Array(command.dropFirst())
    process.environment = ["TZ": "UTC", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"].merging(environment) { $1 }
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    try process.run()
  }

  var isRunning: Bool { process.isRunning }

  /// SIGKILL: nothing is finished, nothing written.
  func kill() {
    guard process.isRunning else { return }
    Glibc.kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
  }

  /// Ends it as systemd does; its exit status.
  func terminate() -> Int32 {
    process.terminate()
    process.waitUntilExit()
    return process.terminationReason == .exit ? process.terminationStatus : -1
  }
}
