import API
import ArgumentParser
import Detection
import Filters
import Inspection
import Model
import Settings
import System

struct Check: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check",
    abstract: "Everything that is wrong with the settings, without starting.",
    discussion: """
      Examples:
        bailiff check
        bailiff check --config ./bailiff.yaml
        bailiff check --automatic
        bailiff check --show
        bailiff check --diff

      Each problem is one line: file:line:column: what is wrong; what would be right. Checked are the settings, the \
      filters that jails name, whether patterns compile, whether a client could choose the address that they report, \
      the filters' samples, and what `run` would meet on this machine: the logs, the state directory, the firewall. \
      Nothing is changed. Exits 2 when anything is wrong; warnings alone do not count.

      With --show it prints what all files of the settings say together, as one file: each value with its place, and with \
      what it overrides in an earlier one.

      With --diff it prints which values the running daemon would change at `bailiff reload`, with their places, and what \
      that means for its jails. Exits 1 when there are any, as diff(1) does.

      Without settings, --automatic shows what `run --dry-run` would watch.
      """)

  @OptionGroup var config: ConfigOptions
  @Flag(help: "Without a settings file, what `run --dry-run` would watch.")
  var automatic = false
  @OptionGroup var format: JSONOption
  @Flag(help: "Print the settings of all files together, each with its place.")
  var show = false
  @Flag(help: "Print what a reload of the running daemon would change.")
  var diff = false

  func validate() throws {
    if diff, show || automatic { throw ValidationError("--diff goes alone") }
  }

  func run() throws {
    if config.isAutomatic, !automatic {
      throw CommandFailure(
        .usage,
        "\(config.path) does not exist; write one (docs/settings.md), or carry fail2ban's over with `bailiff import "
          + "fail2ban`; `bailiff check --automatic` shows what `bailiff run --dry-run` would watch without one")
    }
    var check = SettingsCheck(config.read())
    let machine = MachineCheck(check.settings)
    check.errors += machine.errors
    check.warnings += machine.warnings
    var output = Output()
    if format.json {
      for error in check.errors { output.json(CheckReply(error, .error)) }
      for warning in check.warnings { output.json(CheckReply(warning, .warning)) }
    } else {
      for error in check.errors { Diagnostics.write(error.description + "\n") }
      for warning in check.warnings { Diagnostics.write(warning.described(as: "warning") + "\n") }
      if !show, !diff { printJails(check, to: &output) }
    }
    if show { printSettings(to: &output) }
    var isSame = true
    if diff, check.errors.isEmpty { isSame = try printDifferences(to: &output) }
    output.flush()
    guard check.errors.isEmpty else { throw CommandFailure(.usage) }
    guard isSame else { throw CommandFailure(.rejected) }
  }

  /// Returns false when a reload would change anything.
  private func printDifferences(to output: inout Output) throws -> Bool {
    // Compiling some hundred patterns takes a while.
    let reply = try config.client(deadline: 120).reload(ReloadRequest(preview: true))
    if format.json {
      output.json(reply)
    } else {
      for difference in reply.values ?? [] {
        for (sign, value) in [("-", difference.before), ("+", difference.after)] {
          guard let shown = value else { continue }
          output.line(
            "\(sign) \(printable("\(difference.key): \(shown.value)"))  # \(printable(shown.file)):\(shown.line)")
        }
      }
      for change in reply.changes { output.line("  \(printable(change))") }
      if reply.changes.isEmpty, reply.values?.isEmpty != false {
        output.line("the running daemon has these settings")
      }
    }
    return reply.changes.isEmpty && reply.values?.isEmpty != false
  }

  private func printJails(_ check: SettingsCheck, to output: inout Output) {
    let file = config.isAutomatic ? "no \(config.path), so what `run --dry-run` would watch" : config.path
    let count = check.errors.count
    output.line(
      "\(printable(file)): \(count == 0 ? "ok" : counted(count, "error"))"
        + (check.warnings.isEmpty
          ? "" : ", " + counted(check.warnings.count, "warning")))
    guard count == 0, !check.settings.jails.isEmpty else { return }
    output.line()
    var table = Table([
      .text("JAIL"), .text("FILTER"), .number("MAXRETRY"), .number("FINDTIME"), .number("BANTIME"), .text("PORTS"),
      .rest("READS"),
    ])
    for jail in check.settings.jails {
      table.add([
        jail.name, jail.definition?.name ?? jail.source.rawValue, "\(jail.limits.maxretry)",
        jail.limits.findtime.brief, jail.limits.bantime.map(\.brief) ?? "for ever",
        jail.ports.description, jail.enabled ? reads(jail) : "nothing: disabled",
      ])
    }
    table.print(to: &output, on: Terminal())
  }

  private func printSettings(to output: inout Output) {
    let settings = EffectiveSettings(path: config.path)
    if format.json {
      for entry in settings.entries { output.json(entry) }
    } else {
      output.write(settings.yaml())
    }
  }

  private func reads(_ jail: JailSettings) -> String {
    guard jail.source == .logs else { return jail.source.rawValue }
    return jail.sources().description
  }
}
