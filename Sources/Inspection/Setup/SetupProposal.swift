public import Filters
public import Settings

/// What `bailiff setup` proposes: jails for what runs here and has a filter, and what listens without one.
public struct SetupProposal: Sendable, Equatable {
  public struct Jail: Sendable, Equatable, Codable {
    public var name: String
    public var filter: String
    /// Empty: where the filter says.
    public var logpath: [String] = []
    public var containers: [String] = []
    /// Where the service listens, if not where the filter says.
    public var port: [UInt16] = []
    /// `the unit nginx.service runs`
    public var why: [String]
    /// `the journal`, or paths.
    public var reads: String

    /// The jail's keys in one line of YAML.
    public var yaml: String {
      var keys = ["filter: \(filter)"]
      if !logpath.isEmpty { keys.append("logpath: [\(logpath.map(Self.quoted).joined(separator: ", "))]") }
      if !containers.isEmpty { keys.append("containers: [\(containers.map(Self.quoted).joined(separator: ", "))]") }
      if !port.isEmpty { keys.append("port: [\(port.map { "'\($0)'" }.joined(separator: ", "))]") }
      return "{\(keys.joined(separator: ", "))}"
    }

    private static func quoted(_ text: String) -> String {
      let plain = text.utf8.allSatisfy {
        "/._-".utf8.contains($0) || (0x30...0x39).contains($0) || $0 | 0x20 > 0x60 && $0 | 0x20 < 0x7B
      }
      return plain ? text : "'\(text.replacing("'", with: "''"))'"
    }
  }

  /// A port that is open to others and that no jail closes.
  public struct Unwatched: Sendable, Hashable, Codable {
    /// Empty: not known to this user.
    public var program: String
    /// `22/tcp`
    public var port: String
    /// A filter for it, whose log was not found; nil: there is none.
    public var filter: String?
  }

  public var jails: [Jail] = []
  public var unwatched: [Unwatched] = []

  /// - Parameters:
  ///   - present: what the settings watch already; these are not proposed again.
  ///   - now: seconds since 1970, by which a log is one that grows.
  public init(_ facts: MachineFacts, filters: [FilterDefinition], present: [JailSettings], now: Int) {
    let watched = Set(present.flatMap { [$0.name, $0.definition?.name ?? $0.name] })
    for filter in filters where !watched.contains(filter.name) {
      if let jail = Candidate(filter, facts, now: now).jail { jails.append(jail) }
    }
    jails.sort { $0.name < $1.name }
    unwatched = Self.unwatched(facts, filters: filters, present: present, proposed: jails)
  }

  private static func unwatched(
    _ facts: MachineFacts, filters: [FilterDefinition], present: [JailSettings], proposed: [Jail]
  ) -> [Unwatched] {
    let names = Set(proposed.map(\.filter) + present.compactMap { $0.definition?.name })
    let inForce = filters.filter { names.contains($0.name) }
    let open = facts.listeners.filter { listener in
      let isClosed = present.contains { jail in
        guard jail.enabled, case .list(let ranges) = jail.ports else { return false }
        return ranges.contains { $0.contains(listener.port) }
      }
      return !isClosed && !inForce.contains { Candidate.serves($0, listener.program) }
        && !proposed.contains { $0.port.contains(listener.port) }
    }
    let rows = open.map { listener in
      Unwatched(
        program: listener.program, port: "\(listener.port)/\(listener.isUDP ? "udp" : "tcp")",
        filter: filters.first { Candidate.serves($0, listener.program) }?.name)
    }
    return Set(rows).sorted { ($0.program, $0.port) < ($1.program, $1.port) }
  }
}

/// One filter, and what on this machine speaks for a jail with it.
private struct Candidate {
  let filter: FilterDefinition
  let facts: MachineFacts
  /// The service's own files that grow; syslog's tell nothing about which service is here.
  let logs: [String]
  let programs: [String]

  init(_ filter: FilterDefinition, _ facts: MachineFacts, now: Int) {
    self.filter = filter
    self.facts = facts
    logs = filter.logpath.flatMap { facts.growing($0, now: now) }
    programs = Self.programs(filter)
  }

  var jail: SetupProposal.Jail? {
    let unit = unit
    let listeners = facts.listeners.filter { Self.serves(filter, $0.program) }
    let container = facts.containers.filter { container in
      let image = container.image.split(separator: "/").map { String($0.prefix { $0 != ":" }) }
      return ([container.name] + image).contains { Self.isSame($0, filter.name) }
    }
    let own = logs.filter { !LogPlace.isSyslog($0) && isOwn($0) }
    let old = facts.fail2banJails.filter { $0.filter == filter.name }
    var why: [String] = []
    if let unit { why.append("the unit \(unit).service runs") }
    if let program = listeners.map(\.program).min() {
      let ports = Set(listeners.map(\.port)).sorted().map(String.init).joined(separator: ", ")
      why.append("\(program) listens on \(ports)")
    }
    if let log = own.first { why.append("\(log) grows") }
    if let first = container.first { why.append("the container \(first.name) runs") }
    if let jail = old.first { why.append("fail2ban's jail \(jail.jail) is enabled") }
    // A log alone may be any program's, unless it is called as the service is.
    guard unit != nil || !own.isEmpty || !container.isEmpty || !old.isEmpty || (!listeners.isEmpty && !logs.isEmpty)
    else { return nil }
    var jail = SetupProposal.Jail(name: filter.name, filter: filter.name, why: why, reads: "")
    if unit == nil, own.isEmpty, listeners.isEmpty, !container.isEmpty {
      jail.containers = container.map(\.name)
      jail.reads = "the log of \(jail.containers.joined(separator: ", "))"
    } else if facts.hasJournal, filter.writes != .files, !filter.journalmatch.isEmpty {
      jail.reads = "the journal"
    } else {
      // A service that runs and has written nothing yet will write there.
      jail.logpath = logs.isEmpty && unit != nil ? filter.logpath : logs
      guard !jail.logpath.isEmpty else { return nil }
      jail.reads = jail.logpath.joined(separator: ", ") + (logs.isEmpty ? " (nothing yet)" : "")
    }
    jail.port = odd(listeners)
    return jail
  }

  /// The unit that runs the service itself: of the filter's, one that is called as the filter or as its first program is.
  private var unit: String? {
    let named = filter.journalmatch.flatMap { $0.split(separator: " ") }.compactMap { field in
      field.hasPrefix("_SYSTEMD_UNIT=") && field.hasSuffix(".service")
        ? String(field.dropFirst("_SYSTEMD_UNIT=".count).dropLast(".service".count)) : nil
    }
    let mine = named.filter { unit in
      ([filter.name] + programs.prefix(1)).contains { Self.isSame(unit, $0) }
        // `nginx-error` is about a log of nginx' own, which must be there; `nginx-mail` about syslog's, too.
        || (filter.name.hasPrefix(unit + "-") && !logs.isEmpty && !filter.logpath.contains(where: LogPlace.isSyslog))
    }
    return mine.first { facts.units.contains($0) }
      ?? facts.units.sorted().first { unit in mine.contains { unit.hasPrefix($0 + "@") } }
      ?? facts.units.sorted().first { unit in
        let name = unit.prefix { $0 != "@" }
        return name == filter.name || programs.first.map { $0 == name } == true
      }
  }

  /// Ports of the service that a ban would not close, unless the jail says so.
  private func odd(_ listeners: Set<MachineFacts.Listener>) -> [UInt16] {
    let ranges = filter.port.compactMap(Ports.range)
    guard ranges.count == filter.port.count, !ranges.isEmpty else { return [] }
    let open = Set(listeners.filter { !$0.isUDP }.map(\.port)).sorted()
    return open.allSatisfy { port in ranges.contains { $0.contains(port) } } ? [] : open
  }

  /// Is it called as the service is, or in a directory that is?
  private func isOwn(_ path: String) -> Bool {
    let words = path.split { "/._-".contains($0) }.map { $0.lowercased() }
    return words.contains { word in ([filter.name] + programs).contains { Self.isSame(word, $0) } }
  }

  private static func programs(_ filter: FilterDefinition) -> [String] {
    guard case .native(let rules) = filter.rules else { return [] }
    return rules.programs
  }

  /// Is `program` (the kernel cuts names at 15 bytes) the service's? The first of a filter's programs is its own; the others may
  /// serve many.
  static func serves(_ filter: FilterDefinition, _ program: String) -> Bool {
    guard !program.isEmpty else { return false }
    let own = Self.programs(filter).prefix(3) + [filter.name]
    return own.contains { $0.prefix(15) == program }
      || known[program].map { $0 == filter.name } == true
  }

  /// Processes that are called neither as their service's filter nor as what it writes to syslog.
  private static let known = [
    "master": "postfix", "smtpd": "opensmtpd", "java": "", "mariadbd": "mariadb", "mysqld": "mariadb",
    "slapd": "openldap", "named": "bind", "smbd": "samba", "exim4": "exim", "pure-ftpd": "pure-ftpd",
    "starter": "strongswan", "charon": "strongswan", "beam.smp": "", "postgres": "postgresql",
    "apache2": "http-probe", "httpd": "http-probe", "nginx": "nginx-http-auth",
  ]

  /// `gitea` and `gitea-db`: no; `ssh` and `sshd`: yes.
  private static func isSame(_ one: String, _ other: String) -> Bool {
    one == other || [one + "d", one + "-server"].contains(other) || [other + "d", other + "-server"].contains(one)
  }
}
