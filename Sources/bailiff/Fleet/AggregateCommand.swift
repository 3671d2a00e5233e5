import ArgumentParser
import Fleet
import Pipeline
import Service
import Settings
import System

struct AggregateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "aggregate",
    abstract: "Decide for a fleet, on a machine that watches nothing itself.",
    discussion: """
      The same as `aggregate: true` in the settings of a server, as a program of its own, until SIGTERM or Ctrl-C. It needs the fleet, the \
      jails with `scope: fleet` and their limits, which must be the same for all aggregators. Three are enough; each may be lost.

      Example:
        bailiff aggregate --config /etc/bailiff/bailiff.yaml
      """)

  @OptionGroup var config: ConfigOptions

  func run() throws {
    let reading = config.read()
    guard reading.errors.isEmpty else { throw SettingsErrors(reading.errors) }
    let log = RunLog()
    let aggregator: Aggregator
    do { aggregator = try Aggregator(reading.settings, directory: reading.settings.state) { log.warning($0) } } catch {
      throw CommandFailure(.usage, "\(error)")
    }
    log.notice("deciding for the fleet")
    let thread = ServiceThread("bailiff-aggr") { aggregator.run() }
    Signals.wait()
    aggregator.stop()
    thread.join()
    let counters = aggregator.counters
    log.notice(
      "stopped after \(counted(counters.input.messages, "message")) and \(counted(counters.published, "decision"))")
  }
}
