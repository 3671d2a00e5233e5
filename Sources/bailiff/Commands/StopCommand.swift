import API
import ArgumentParser
import Glibc
import Model
import Service
import System

struct Stop: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "stop",
    abstract: "End the daemon; with --unban, lift every ban as well.",
    discussion: """
      Examples:
        bailiff stop
        bailiff stop --unban

      Without --unban it does what `systemctl stop bailiff` does: bans stay in force until their time is over, and whoever \
      starts the daemon again finds them. With --unban nobody is banned when it returns, and the audit has who asked for it. \
      A daemon that systemd supervises is not started again until somebody starts it, or the machine.
      """)

  @Flag(help: "Lift every ban.")
  var unban = false
  @OptionGroup var config: ConfigOptions

  /// As long as the unit waits for it (TimeoutStopSec).
  private static let deadline = 60.0

  func run() throws {
    let process = try config.client().status().pid
    let signal = unban ? Signals.stopLiftingBans : SIGTERM
    guard kill(process, signal) == 0 else {
      throw RequestError(
        errno == EPERM ? .notPermitted : .failed, "process \(process) was not told to end: \(SystemError.text(errno))",
        remedy: "run this as root")
    }
    let end = monotonicSeconds() + Self.deadline
    while kill(process, 0) == 0 {
      guard monotonicSeconds() < end else {
        throw RequestError(
          .deadline, "process \(process) has not ended within \(Int(Self.deadline)) s",
          remedy: "`bailiff status` says what it does")
      }
      usleep(20_000)
    }
    var output = Output()
    output.line(unban ? "stopped; every ban is lifted" : "stopped; bans stay in force until their time is over")
    output.flush()
  }
}
