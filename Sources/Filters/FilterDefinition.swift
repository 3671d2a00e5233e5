public import Model

/// What a filter says, before it is compiled: what `Settings` reads from YAML and `Fail2ban` from filter.d.
public struct FilterDefinition: Sendable, Equatable {
  public enum Rules: Sendable, Equatable {
    case native(NativeRules)
    case fail2ban(Fail2banRules)
  }

  /// The name by which jails call it: `sshd`.
  public var name: String
  /// The file it was read from.
  public var file: String
  public var summary: String
  public var rules: Rules
  /// Where its lines are, unless the jail says otherwise.
  public var journalmatch: [String]
  public var logpath: [String]
  /// The units among them.
  public var units: [String] {
    let key = "_SYSTEMD_UNIT="
    return journalmatch.filter { $0.hasPrefix(key) }.map { String($0.dropFirst(key.count)) }
  }
  /// Where the service writes unless it is told otherwise.
  public var writes: LogPlace
  /// Which ports to block, by service name or number; empty: all.
  public var port: [String]
  /// The limit that suits the service, for jails and defaults that name none.
  public var maxretry: Int?
  public var findtime: TimeSpan?
  public var samples: [Sample]

  public init(
    name: String, file: String, summary: String = "", rules: Rules, journalmatch: [String] = [], logpath: [String] = [],
    writes: LogPlace? = nil, port: [String] = [], maxretry: Int? = nil, findtime: TimeSpan? = nil,
    samples: [Sample] = []
  ) {
    self.name = name
    self.file = file
    self.summary = summary
    self.rules = rules
    self.journalmatch = journalmatch
    self.logpath = logpath
    self.writes = writes ?? LogPlace(logpath)
    self.port = port
    self.maxretry = maxretry
    self.findtime = findtime
    self.samples = samples
  }
}
