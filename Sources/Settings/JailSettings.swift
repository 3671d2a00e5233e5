public import Detection
public import Filters

/// A jail: a filter on its sources, with a limit and the ports that a ban closes.
public struct JailSettings: Sendable, Equatable {
  public enum Source: String, Sendable, CaseIterable {
    /// Files, the journal.
    case logs
    /// Bailiff's own bans, for a jail that bans longer who is banned again and again (fail2ban's recidive).
    case bans
    /// Standard input.
    case stdin
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

  public var name: String
  public var enabled: Bool
  /// Where the jail is in the settings.
  public var place: Place
  public var source: Source
  /// As it was typed; nil with `source: bans`.
  public var filter: FilterReference?
  /// The filter itself; nil with `source: bans`.
  public var definition: FilterDefinition?
  /// Absolute paths and globs: the jail's, else the filter's.
  public var logpath: [String]
  /// Each entry is an alternative; fields with spaces between them must all hold, `+` separates alternatives too.
  public var journalmatch: [String]
  public var backend: Backend
  public var ports: Ports
  public var protocols: [TransportProtocol]
  /// `ignore` holds the addresses and blocks of `ignoreip`; names and files stand only there.
  public var limits: Jail
  /// The entries for all jails and this jail's own.
  public var ignoreip: [IgnoreEntry]
  public var usedns: Fail2banRules.DNS
  /// The zone of stamps that name none; nil: this machine's.
  public var timezone: String?

  public init(
    name: String, enabled: Bool = true, place: Place = Place(file: "", line: 0, column: 0), source: Source = .logs,
    filter: FilterReference? = nil, definition: FilterDefinition? = nil, logpath: [String] = [],
    journalmatch: [String] = [], backend: Backend = .auto, ports: Ports = .all, protocols: [TransportProtocol] = [.tcp],
    limits: Jail, ignoreip: [IgnoreEntry] = [], usedns: Fail2banRules.DNS = .no, timezone: String? = nil
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
    self.limits = limits
    self.ignoreip = ignoreip
    self.usedns = usedns
    self.timezone = timezone
  }

  /// What to read on a machine with or without a journal. Both are empty for `source: bans` and `stdin`.
  public func sources(journalAvailable: Bool) -> (files: [String], journal: [String]) {
    guard source == .logs else { return ([], []) }
    switch backend {
    case .both: return (logpath, journalmatch)
    case .journal: return ([], journalmatch)
    case .files: return (logpath, [])
    case .auto:
      if journalmatch.isEmpty || !journalAvailable && !logpath.isEmpty { return (logpath, []) }
      return ([], journalmatch)
    }
  }
}

/// How a jail names its filter.
public enum FilterReference: Sendable, Hashable {
  /// A native filter: a name in the library, or a path to a `.yaml`.
  case native(String)
  /// A file of fail2ban's filter.d, with options (`mode: aggressive`).
  case fail2ban(path: String, options: [String: String])
}
