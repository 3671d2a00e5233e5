import ArgumentParser
import AuditLog
import Detection
import Model
import Settings

struct Explain: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "explain",
    abstract: "Why an address is banned, or how close it is: the lines, the pattern, the window, the decision.",
    discussion: """
      Examples:
        bailiff explain 192.0.2.7
        bailiff explain 2001:db8::/64 --json

      It reads the store itself, so it also works while the daemon is down. Exits 1 when nothing is known of the id.
      """)

  @Argument(help: "An address, a block or a name.")
  var id: String
  @Option(help: "How many of its bans to tell, newest first.")
  var bans = 3
  @OptionGroup var config: ConfigOptions
  @OptionGroup var format: JSONOption

  func validate() throws {
    try checkID(id)
    if bans < 1 { throw ValidationError("--bans needs at least 1") }
  }

  func run() throws {
    let reader = try AuditStore.readOnly(path: try config.general().database)
    let explanation = try reader.explain(Identity(id), bans: bans)
    guard explanation.banCount > 0 || !explanation.recent.isEmpty else {
      throw CommandFailure(.rejected, "nothing is known of \(id): no failure and no ban is stored")
    }
    let now = LocalTime.now()
    let closeness = try Closeness.all(
      of: explanation.identity, in: Set(explanation.jails.map(\.jail)), config.read().settings, reader, now: now)
    var output = Output()
    if format.json {
      output.json(explanation.members(now, closeness))
    } else {
      explanation.print(to: &output, now: now, closeness)
    }
    output.flush()
  }
}

/// How much of a jail's limit an id has used up.
struct Closeness {
  var jail: Jail
  var weight: Int
  /// The entry of `ignoreip` that covers the id now.
  var ignored: Subnet?

  /// The lists that were checked, for people.
  var ignoreip: String {
    let entries = jail.ignore.subnets.map(\.description)
    guard !entries.isEmpty else { return " (it is empty)" }
    let more = entries.count > 8 ? ", and \(entries.count - 8) more" : ""
    return " (\(entries.prefix(8).joined(separator: ", "))\(more))"
  }

  static func all(
    of identity: Identity, in known: Set<String>, _ settings: Settings, _ reader: AuditReader, now: Instant
  ) throws
    -> [Closeness]
  {
    try settings.jails.filter(\.enabled).compactMap { jail in
      // The block that the jail counts an address by.
      let counted = identity.subnet.flatMap { id in
        id.isSingleAddress
          ? Identity.network(
            Subnet(id.base, ipv4Prefix: jail.limits.ipv4Prefix, ipv6Prefix: jail.limits.ipv6Prefix)) : nil
      }
      let weight = try reader.weight(
        of: counted ?? identity, jail: jail.name, since: now.subtracting(jail.limits.findtime))
      guard weight > 0 || known.contains(jail.name) else { return nil }
      let ignored = identity.subnet.flatMap { id in jail.limits.ignore.subnets.first { $0.contains(id) } }
      return Closeness(jail: jail.limits, weight: weight, ignored: ignored)
    }
  }
}
