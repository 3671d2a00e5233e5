public import ArgumentParser
import AuditLog
import Inspection
public import Model
import System

struct AlertsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "alerts",
    abstract: "What a person should look at, and by which lines.",
    discussion: """
      Examples:
        bailiff alerts --since 7d
        bailiff alerts 17
        bailiff alerts --kind new-network --user alice --json

      Kinds: login-after-failures, new-network, many-addresses (at one account), many-accounts (of one address), \
      banned-login, first-privilege; `alerts:` in the settings has their limits. An alert bans nobody. With a number it is \
      shown with the failures and logins that raised it, as far as these are still stored.
      """)

  @Argument(help: "One of them, with its lines.")
  var number: Int64?
  @OptionGroup var range: RangeOptions
  @Option(help: ArgumentHelp("An address or a block.", valueName: "cidr"))
  var ip: String?
  @Option(help: "The account that it is about, exactly.")
  var user: String?
  @Option(help: "A kind; may be repeated.")
  var kind: [Alert.Kind] = []
  @Option(help: "At most so many.")
  var limit = 100
  @OptionGroup var config: ConfigOptions
  @OptionGroup var format: JSONOption

  func validate() throws {
    if !(1...4096).contains(limit) { throw ValidationError("--limit is a number from 1 to 4096") }
  }

  func run() throws {
    var filter = AlertFilter()
    (filter.since, filter.until) = try range.range()
    filter.subnet = try parseSubnet(ip)
    filter.user = user
    filter.kinds = Set(kind)
    filter.number = number
    let alerts = try Past(config).alerts(filter, limit: limit, hasLines: number != nil)
    if let number, alerts.isEmpty { throw CommandFailure(.rejected, "there is no alert \(number)") }
    var output = Output()
    if format.json {
      for alert in alerts { output.json(alert) }
    } else if number != nil {
      for alert in alerts { alert.print(to: &output) }
    } else {
      var table = Table([.number("NO"), .text("TIME"), .text("KIND"), .text("JAIL"), .rest("WHAT")])
      for alert in alerts {
        table.add(["\(alert.number)", LocalTime.text(alert.time), alert.kind.rawValue, alert.jail, alert.text])
      }
      if alerts.isEmpty { output.line("no alerts") } else { table.print(to: &output, on: Terminal()) }
    }
    output.flush()
  }
}

extension AlertReply {
  fileprivate func print(to output: inout Output) {
    output.line("\(LocalTime.text(time))  \(kind.rawValue)  [\(jail)]  \(printable(text))")
    for (title, lines) in [
      ("failures", (failures ?? []).map { ($0.time, $0.line) }),
      ("activities", (activities ?? []).map { ($0.time, $0.line) }),
    ] where !lines.isEmpty {
      output.line("  \(title):")
      for (time, line) in lines { output.line("    \(LocalTime.text(time))  \(printable(line))") }
    }
    if failures?.isEmpty ?? true, activities?.isEmpty ?? true { output.line("  its lines are no longer stored") }
  }
}

extension Alert.Kind: ExpressibleByArgument {}
