import ArgumentParser
import Fleet
import Model
import System

struct FleetExplain: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "explain",
    abstract: "Which servers saw an address, when, and what was decided.",
    discussion: """
      Examples:
        bailiff fleet explain 192.0.2.7
        bailiff fleet explain 192.0.2.7 --since 1h

      It reads what all servers told since then, which in a large fleet is much: keep the time short. What one server's own log says \
      of an address tells `bailiff explain` there.
      """)

  @Argument(help: "An address, or a block that was banned as one.")
  var id: String
  @Option(help: ArgumentHelp("How far back: 10m unless told.", valueName: "time"), transform: parseSpan)
  var since: TimeSpan = .minutes(10)
  @OptionGroup var config: ConfigOptions
  @OptionGroup var format: JSONOption

  func run() throws {
    guard let subnet = Subnet(id) else {
      throw CommandFailure(.usage, "`\(printable(id))` is no address; give one, or a block such as 2001:db8::/64")
    }
    let streams = try config.streams()
    let now = SystemClock.now()
    let words = try failing { () throws(FleetError) in try streams.words(about: subnet) }
    let seen = try failing { () throws(FleetError) in
      try streams.sightings(of: subnet, since: now.subtracting(since).seconds)
    }
    var output = Output()
    if format.json {
      for word in words { output.json(word) }
      for sighting in seen { output.json(sighting) }
    } else {
      for word in words { output.line(Self.sentence(word, now)) }
      if words.isEmpty { output.line("the fleet has decided nothing about \(subnet)") }
      var table = Table([.text("TIME"), .text("SITE"), .text("SERVER"), .text("JAIL"), .number("FAILURES")])
      for one in seen {
        table.add([LocalTime.text(Instant(seconds: one.second)), one.site, one.node, one.jail, "\(one.count)"])
      }
      if table.isEmpty {
        output.line("no server told of it since \(LocalTime.text(now.subtracting(since)))")
      } else {
        table.print(to: &output, on: Terminal())
      }
    }
    output.flush()
  }

  private static func sentence(_ word: LiveMessage, _ now: Instant) -> String {
    let end = word.until.map { "until \(LocalTime.text(Instant(seconds: $0)))" } ?? "for ever"
    if let order = word.order {
      return "an operator's order, \(printable(order.order))"
    }
    let isOver = word.until.map { $0 <= now.seconds } ?? false
    return "[\(printable(word.jail ?? "all"))] \(isOver ? "was banned" : "banned") \(end): \(word.reason)"
  }
}
