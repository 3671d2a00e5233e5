import API
import Glibc
import Model
import System

/// Whatever starts the daemon again: systemd, or a command that the administrator names.
struct Supervisor {
  let command: String
  let isSystemd: Bool

  /// Nil where nobody knows how the daemon is restarted.
  init?(command: String?, daemon: StatusReply) {
    isSystemd = SmallFile.text("/proc/\(daemon.pid)/cgroup")?.contains("/bailiff.service") == true
    guard let command = command ?? (isSystemd ? "systemctl restart bailiff.service" : nil) else { return nil }
    self.command = command
  }

  /// Returns when another daemon answers.
  func restart(_ config: ConfigOptions, instead old: Int32) throws {
    let result = try Program(path: "/bin/sh", arguments: ["-c", command]).run(deadline: 120)
    guard result.status == 0 else {
      throw RequestError(
        .failed, "`\(command)` failed: \(result.errors)", remedy: "bailiff check, and the daemon's log")
    }
    let end = monotonicSeconds() + 60
    while true {
      if let daemon = config.runningDaemon, daemon.pid != old { return }
      guard monotonicSeconds() < end else {
        throw RequestError(.deadline, "the daemon does not answer after `\(command)`", remedy: "look into its log")
      }
      usleep(100_000)
    }
  }
}
