public import Detection
public import Filters
public import Model

/// A jail: a filter on its sources, with a limit and the ports that a ban closes.
public struct JailSettings: Sendable, Equatable {
  public enum Source: String, Sendable, CaseIterable {
    /// Files, the journal.
    case logs
    /// Bailiff's own bans, for a jail that bans longer who is banned again and again (fail2ban's recidive).
    case bans
    /// What programs report (`failures`), and nothing else.
    case reports
    /// Alerts, which then are more than told (`alerts` of the jail).
    case alerts
    /// Standard input.
    case stdin

    /// Are there lines that a filter reads?
    public var hasFilter: Bool { self == .logs || self == .stdin }
  }

  /// Which logs are read when both files and the journal are known. Most machines have the same lines in both, and a
  /// line that is read twice counts twice.
  public enum Backend: String, Sendable, CaseIterable {
    /// The journal where there is one, else the files.
    case auto
    case journal
    case files
    case both
  }

  /// What is stored of a jail's failures.
  public enum Record: String, Sendable, CaseIterable {
    /// Each of them.
    case each
    /// None but the last ones before a ban: for limits on requests, of which there are millions.
    case counts
  }

  /// Whose failures count.
  public enum Scope: String, Sendable, CaseIterable {
    /// This server's.
    case local
    /// This server's by themselves, and those of the whole fleet together.
    case fleet
  }

  /// What happens to a packet of a banned address.
  public enum Block: String, Sendable, CaseIterable {
    /// Nothing is answered: the other side waits.
    case drop
    /// It is told that nobody listens.
    case reject
  }

  public var name: String
  public var enabled: Bool
  /// Where the jail is in the settings.
  public var place: Place
  public var source: Source
  /// As it was typed; nil with `source: bans`, `reports` and `alerts`.
  public var filter: FilterReference?
  /// The filter itself; nil with `source: bans`, `reports` and `alerts`.
  public var definition: FilterDefinition?
  /// Absolute paths and globs: the jail's, else the filter's.
  public var logpath: [String]
  /// Each entry is an alternative; fields with spaces between them must all hold, `+` separates alternatives too.
  public var journalmatch: [String]
  /// Containers whose logs it reads, by name or `label=KEY=VALUE`.
  public var containers: [String] = []
  public var backend: Backend
  public var ports: Ports
  public var protocols: [TransportProtocol]
  public var block: Block
  /// `ignore` holds the addresses and blocks of `ignoreip`; names and files stand only there.
  public var limits: Jail
  /// The entries for all jails and this jail's own.
  public var ignoreip: [IgnoreEntry]
  /// Where these connect, the client is whom they spoke for (`ForwardedFor`). They are in `limits.ignore` too: no proxy is
  /// banned.
  public var trustedProxies: [Subnet] = []
  public var scope = Scope.local
  public var usedns: Fail2banRules.DNS
  /// The zone of stamps that name none; nil: this machine's.
  public var timezone: String?

  public init(
    name: String, enabled: Bool = true, place: Place = Place(file: "", line: 0, column: 0), source: Source = .logs,
    filter: FilterReference? = nil, definition: FilterDefinition? = nil, logpath: [String] = [],
    journalmatch: [String] = [], backend: Backend = .auto, ports: Ports = .all,
    protocols: [TransportProtocol] = [.tcp, .udp],
    block: Block = .drop, limits: Jail, ignoreip: [IgnoreEntry] = [], usedns: Fail2banRules.DNS = .no,
    timezone: String? = nil
  ) {
    self.name = name
    self.enabled = enabled
    self.place = place
    self.source = source
    self.filter = filter
    self.definition = definition
    self.logpath = logpath
    self.journalmatch = journalmatch
    self.backend = backend
    self.ports = ports
    self.protocols = protocols
    self.block = block
    self.limits = limits
    self.ignoreip = ignoreip
    self.usedns = usedns
    self.timezone = timezone
  }

  /// What to read on a machine. Everything is empty for any `source` but `logs`.
  public func sources(on machine: Settings.Machine = .current) -> LogChoice {
    guard source == .logs else { return LogChoice() }
    var choice = logs(on: machine)
    choice.containers = containers
    return choice
  }

  private func logs(on machine: Settings.Machine) -> LogChoice {
    switch backend {
    case .both: return LogChoice(files: logpath, journal: journalmatch)
    case .journal: return LogChoice(journal: journalmatch)
    case .files: return LogChoice(files: logpath)
    case .auto:
      if logpath.isEmpty || journalmatch.isEmpty { return LogChoice(files: logpath, journal: journalmatch) }
      let writes = definition?.writes ?? LogPlace(logpath)
      guard writes == .journal, machine.hasJournal else {
        return LogChoice(files: logpath, journal: journalmatch, isJournalInstead: true)
      }
      return LogChoice(files: ownLogs, journal: journalmatch)
    }
  }

  /// Files that the service writes instead of syslog, when it is told to.
  private var ownLogs: [String] {
    guard case .native(let rules)? = definition?.rules, rules.hasOwnLog else { return [] }
    return logpath.filter { !LogPlace.isSyslog($0) }
  }
}

/// Which logs a jail reads.
public struct LogChoice: Sendable, Hashable {
  public var files: [String]
  public var journal: [String]
  /// The journal is read only while none of the files is there.
  public var isJournalInstead: Bool
  public var containers: [String] = []

  public init(files: [String] = [], journal: [String] = [], isJournalInstead: Bool = false) {
    self.files = files
    self.journal = journal
    self.isJournalInstead = isJournalInstead
  }

  /// For people: `/var/log/nginx/error.log, or while it is not there journal _SYSTEMD_UNIT=nginx.service`.
  public var description: String {
    let containers = containers.map { "container \($0)" }
    return (containers + [logs].filter { !$0.isEmpty }).joined(separator: ", ")
  }

  private var logs: String {
    let files = files.joined(separator: ", ")
    guard !journal.isEmpty else { return files }
    let journal = "journal " + journal.joined(separator: " or ")
    if files.isEmpty { return journal }
    guard isJournalInstead else { return "\(files), \(journal)" }
    return "\(files), or while \(self.files.count == 1 ? "it is" : "none of them is") there \(journal)"
  }
}

/// How a jail names its filter.
public enum FilterReference: Sendable, Hashable {
  /// A native filter: a name in the library, or a path to a `.yaml`.
  case native(String)
  /// A file of fail2ban's filter.d, with options (`mode: aggressive`).
  case fail2ban(path: String, options: [String: String])
}
