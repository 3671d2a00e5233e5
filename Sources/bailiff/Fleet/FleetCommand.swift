import ArgumentParser
import Cryptography
import Fleet
import Glibc
import Model
import Settings
import System

struct FleetGroup: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fleet",
    abstract: "Servers that count together: what there is, who tells, who saw an address.",
    discussion: """
      A fleet is in the settings, under `fleet:` (docs/fleet.md). These commands ask the NATS servers themselves.

        bailiff fleet init
        bailiff fleet status
        bailiff fleet nodes
        bailiff fleet explain 192.0.2.7
        bailiff fleet permissions web-17 --site fra1
        bailiff fleet key /etc/bailiff/fleet-operator.key
      """,
    subcommands: [
      FleetInit.self, FleetStatusCommand.self, FleetNodes.self, FleetExplain.self, FleetPermissions.self, FleetKey.self,
    ])
}

extension ConfigOptions {
  /// The settings' fleet.
  func fleet() throws -> FleetSettings {
    guard let fleet = try general().fleet else {
      throw CommandFailure(.usage, "\(path) has no `fleet`; write fleet: {servers: [nats://HOST:4222]} (docs/fleet.md)")
    }
    return fleet
  }

  func streams() throws -> FleetStreams {
    let fleet = try fleet()
    return try failing { () throws(FleetError) in try FleetStreams(fleet) }
  }
}

/// What the fleet says no to, as commands say it.
func failing<Value>(_ body: () throws(FleetError) -> Value) throws(CommandFailure) -> Value {
  do { return try body() } catch { throw CommandFailure(.rejected, error.description) }
}

struct FleetInit: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "init",
    abstract: "Make the fleet's two streams, or change them to these limits, and check them.",
    discussion: """
      BL_FAIL holds what the servers tell, for a day unless --keep says otherwise; BL_LIVE the last word about each id, for 32 days. \
      With three NATS servers --replicas 3 keeps both when one of them is lost. What was different is printed; nothing is removed.

      Examples:
        bailiff fleet init
        bailiff fleet init --replicas 3 --size 20GiB

      The user needs the rights to make streams, which servers of the fleet do not have: run it once, with the NATS administrator's.
      """)

  @Option(help: "On how many NATS servers each message is: 1, 3 or 5.")
  var replicas = 1
  @Option(
    help: ArgumentHelp("How long failures are kept: windows and what aggregators catch up with.", valueName: "time"),
    transform: parseSpan)
  var keep: TimeSpan?
  @Option(
    help: ArgumentHelp(
      "How long the last word about an id is kept; no longer ban reaches who was away.", valueName: "time"),
    transform: parseSpan)
  var remember: TimeSpan?
  @Option(
    help: ArgumentHelp("Above it the oldest failures go: 2GiB unless told.", valueName: "bytes"), transform: parseBytes)
  var size: Int64?
  @OptionGroup var config: ConfigOptions
  @OptionGroup var format: JSONOption

  func validate() throws {
    guard [1, 3, 5].contains(replicas) else { throw ValidationError("--replicas is 1, 3 or 5") }
  }

  func run() throws {
    var limits = FleetStreams.Limits()
    limits.replicas = replicas
    if let keep { limits.keep = keep }
    if let remember { limits.remember = remember }
    if let size { limits.size = size }
    let streams = try config.streams()
    let reports = try failing { () throws(FleetError) in try streams.establish(limits) }
    var output = Output()
    for report in reports {
      if format.json {
        output.json(StreamReply(report))
      } else {
        let what = report.isNew ? "made" : report.differences.isEmpty ? "is as it should be" : "changed"
        output.line(
          "\(report.name) \(what)"
            + (report.differences.isEmpty ? "" : ": \(report.differences.joined(separator: "; "))"))
      }
    }
    output.flush()
  }
}

func parseBytes(_ text: String) throws -> Int64 {
  guard let bytes = ByteSize.parse(text), bytes >= 1 << 20 else {
    throw ValidationError("`\(printable(text))` is no size; write at least 1MiB, for example 2GiB")
  }
  return bytes
}

/// A stream as `--json` shows it.
struct StreamReply: Encodable {
  var name: String
  var messages: UInt64
  var bytes: UInt64
  var replicas: Int
  var leader: String?
  var behind: [String]
  var changed: [String]

  init(_ report: FleetStreams.Report) {
    name = report.name
    messages = report.messages
    bytes = report.bytes
    replicas = report.replicas
    leader = report.leader
    behind = report.behind
    changed = report.differences
  }
}

struct FleetStatusCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "status",
    abstract: "Are the streams there, whole, and read?",
    discussion: """
      Example:
        bailiff fleet status

      What this server has not told yet is in `bailiff status`, among the consumers. Exits 4 when something needs a person.
      """)

  @OptionGroup var config: ConfigOptions
  @OptionGroup var format: JSONOption

  func run() throws {
    let streams = try config.streams()
    let all = try failing { () throws(FleetError) in try streams.look() }
    let aggregators = try failing { () throws(FleetError) in try streams.aggregators() }
    var problems: [String] = []
    var output = Output()
    var table = Table([.text("STREAM"), .number("MESSAGES"), .number("BYTES"), .number("COPIES"), .text("LEADER")])
    for (name, report) in all {
      guard let report else {
        problems.append("there is no stream \(name); run bailiff fleet init")
        continue
      }
      problems += report.behind.map { "\(name): \($0)" }
      if format.json { output.json(StreamReply(report)) }
      table.add([
        name, "\(report.messages)", "\(report.bytes)", "\(report.replicas)", report.leader ?? "this one alone",
      ])
    }
    if aggregators.isEmpty, problems.isEmpty {
      problems.append("nobody decides: write aggregate: true on three servers, or run bailiff aggregate")
    }
    for reader in aggregators where reader.pending > 100_000 {
      problems.append("\(reader.name) lags by \(reader.pending) messages")
    }
    if format.json {
      for reader in aggregators { output.json(AggregatorReply(name: reader.name, pending: reader.pending)) }
    } else {
      if !table.isEmpty { table.print(to: &output, on: Terminal()) }
      for reader in aggregators { output.line("\(reader.name) decides, \(reader.pending) messages behind") }
      for problem in problems { output.line("! \(printable(problem))") }
    }
    output.flush()
    guard problems.isEmpty else { throw CommandFailure(.attention) }
  }
}

struct AggregatorReply: Encodable {
  var name: String
  var pending: UInt64
}

struct FleetNodes: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "nodes",
    abstract: "Servers that told something within the time that failures are kept.",
    discussion: """
      Example:
        bailiff fleet nodes

      A server where nobody fails tells nothing.
      """)

  @OptionGroup var config: ConfigOptions
  @OptionGroup var format: JSONOption

  func run() throws {
    let streams = try config.streams()
    let nodes = try failing { () throws(FleetError) in try streams.nodes() }
    var output = Output()
    var table = Table([.text("SITE"), .text("SERVER"), .number("BATCHES"), .text("LAST")])
    for node in nodes {
      let last = try failing { () throws(FleetError) in try streams.lastReport(site: node.site, name: node.name) }
        .map { Instant(seconds: $0) }
      if format.json {
        output.json(NodeReply(site: node.site, name: node.name, batches: node.batches, last: last))
      } else {
        table.add([node.site, node.name, "\(node.batches)", last.map(LocalTime.text) ?? "-"])
      }
    }
    if !format.json { table.print(to: &output, on: Terminal()) }
    output.flush()
  }
}

struct NodeReply: Encodable {
  var site: String
  var name: String
  var batches: UInt64
  var last: Instant?
}

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

struct FleetPermissions: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "permissions",
    abstract: "What nats-server must let a server of the fleet do, and nothing more.",
    discussion: """
      For nats-server's `authorization`, a line a server. With nsc the same subjects are given to `nsc add user --allow-pub … \
      --allow-sub …`.

      Examples:
        bailiff fleet permissions web-17 --site fra1
        bailiff fleet permissions web-1 --site fra1 --aggregate
        bailiff fleet permissions ann --site office --operator
      """)

  @Argument(help: "The server's name in its settings, or the operator's.")
  var name: String
  @Option(help: "Its site in the settings.")
  var site = "main"
  @Flag(help: "It decides for the fleet, too.")
  var aggregate = false
  @Flag(help: "It is a person's, who gives orders.")
  var `operator` = false

  func validate() throws {
    if aggregate, `operator` { throw ValidationError("--aggregate and --operator exclude each other") }
    for text in [name, site] where !FleetSettings.isName(text) {
      throw ValidationError("`\(printable(text))` is no name: use letters, digits, `-` and `_`")
    }
  }

  func run() {
    var output = Output()
    output.line(
      "{user: \"\(name)\", password: \"…\", permissions: "
        + (`operator`
          ? Permissions.operator(site: site, name: name)
          : Permissions.node(site: site, name: name, aggregates: aggregate)) + "}")
    output.flush()
  }
}

struct FleetKey: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "key",
    abstract: "An operator's key: made where there is none yet; its public part is printed.",
    discussion: """
      With it `ban`, `unban`, `allow` and `disallow` give orders to the whole fleet (--fleet). What is printed goes into `fleet: \
      {operators: […]}` of every server; the file stays with the operator, as `operator_key`.

      Example:
        bailiff fleet key /root/fleet-operator.key
      """)

  @Argument(help: "The file; nobody but its owner may read it.")
  var file: String

  func run() throws {
    let key: SigningKey
    if unsafe access(file, F_OK) == 0 {
      key = try SigningKey(file: file)
    } else {
      key = SigningKey()
      do { try SmallFile.replace(file, with: Array((Base64URL.text(key.seed) + "\n").utf8), mode: 0o600) } catch {
        throw CommandFailure(.rejected, "\(error)")
      }
    }
    var output = Output()
    output.line(Base64URL.text(key.publicKey))
    output.flush()
  }
}

extension SigningKey {
  init(file: String) throws(CommandFailure) {
    let text: String
    do { text = try Secret.file(file).read() } catch { throw CommandFailure(.usage, error.description) }
    guard let seed = Base64URL.bytes(text), let key = SigningKey(seed: seed) else {
      throw CommandFailure(.usage, "\(file) is no operator's key; make one: bailiff fleet key FILE")
    }
    self = key
  }
}

/// `--fleet`, for what goes to all servers of the fleet.
struct FleetOption: ParsableArguments {
  @Flag(name: .customLong("fleet"), help: "On every server of the fleet, signed with your key.")
  var isFleet = false

  /// Signs orders and gives them to the fleet. Returns their numbers.
  func give(_ orders: [Order], _ config: ConfigOptions) throws {
    let fleet = try config.fleet()
    guard let file = fleet.operatorKey else {
      throw CommandFailure(
        .usage, "`fleet` has no `operator_key`; make one: bailiff fleet key /root/fleet-operator.key")
    }
    let key = try SigningKey(file: file)
    guard fleet.operators.contains(Base64URL.text(key.publicKey)) else {
      throw CommandFailure(
        .usage,
        "`operators` of `fleet` does not have the key in \(file): no server would obey; add "
          + Base64URL.text(key.publicKey))
    }
    let streams = try config.streams()
    var output = Output()
    for order in orders {
      let number = try failing { () throws(FleetError) in
        try streams.give(SignedOrder(order, by: key), by: fleet.name)
      }
      output.line("told the fleet: \(order.action) \(order.id) (\(number))")
    }
    output.flush()
  }

  static func order(
    _ action: Order.Action, _ id: String, jail: String? = nil, for length: TimeSpan? = nil, why: String = ""
  ) throws -> Order {
    guard let subnet = Subnet(id), subnet.prefixLength > 0 else {
      throw CommandFailure(.usage, "`\(printable(id))` is no address; give one, or a block such as 192.0.2.0/24")
    }
    let now = SystemClock.now()
    let user = unsafe getpwuid(getuid()).map { unsafe String(cString: $0.pointee.pw_name) } ?? "uid \(getuid())"
    return Order(
      action, id: subnet, jail: jail, until: length.map { now.adding($0).seconds }, time: now.seconds,
      by: "\(user)@\(LocalHost.name)", why: why)
  }
}
