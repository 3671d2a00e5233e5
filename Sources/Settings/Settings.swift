public import Detection
public import Model

/// What `bailiff.yaml` means: every key has its value, filters are loaded, ports are numbers.
///
/// ```swift
/// let reading = Settings.read(path: "/etc/bailiff/bailiff.yaml") { path, options in try fail2banFilter(path, options)
/// } reading.errors.forEach { print($0) } for jail in reading.settings.jails { … }
/// ```
public struct Settings: Sendable, Equatable {
  /// The file that was read; empty for an automatic configuration.
  public var file: String
  /// What the files say, value by value; nothing of an automatic configuration.
  public var values = EffectiveSettings()
  /// The directory that holds `bailiff.db`.
  public var state: String
  /// The Unix socket of the API.
  public var socket: String
  /// The group that may use the socket besides root; nil: root only.
  public var group: String?
  /// Where native filters are looked for, before the built-in place.
  public var filters: [String]
  public var firewall: FirewallSettings
  /// Never counted and never banned, in any jail.
  public var ignoreip: [IgnoreEntry]
  /// Proxies of all jails: whom they spoke for is the client. They are in `ignoreip` too.
  public var trustedProxies: [Subnet] = []
  /// May `ignoreip` spare everybody?
  public var everybody: Bool
  /// Where Docker, Podman and Kubernetes keep what they know of containers.
  public var containerRoots: [String]
  /// Are this machine's own addresses left alone?
  public var ignoreself: Bool
  /// Whose addresses are left alone while they are logged in?
  public var protectSessions: ProtectSessions
  public var onFull: OnFull
  /// More bans than this in a minute are reported (and carried out).
  public var bansPerMinuteWarning: Int
  public var retention: Retention
  /// Is recorded what those did who were let in?
  public var activity = true
  public var alerts = AlertLimits()
  /// The limits of a jail that says nothing about them.
  public var defaults: Jail
  /// In the order of the file, those that are disabled too. A jail with an error is not among them.
  public var jails: [JailSettings]
  /// In the order of the file, those that are disabled too. A list with an error is not among them.
  public var lists: [ListSettings] = []
  /// Files that know where addresses are from.
  public var geo = GeoSettings()
  /// In the order of the file, those that are disabled too. An output with an error is not among them.
  public var outputs: [OutputSettings]
  /// Which reports are made by themselves, and how long reports are kept.
  public var reports = ReportSettings()
  public var compat = CompatSettings()
  /// Nil: the API is on its Unix socket alone.
  public var api: APISettings?
  /// Which programs may report failures; nil: none but those that the API's socket admits.
  public var failures: FailureSettings?
  /// Nil: it counts alone.
  public var fleet: FleetSettings?

  public enum ProtectSessions: String, Sendable, CaseIterable {
    case none = "false"
    /// Those who may become root.
    case administrators = "true"
    case everybody = "all"
  }

  /// What holds where the file says nothing.
  public init(file: String = "") {
    self.file = file
    state = "/var/lib/bailiff"
    socket = "/run/bailiff/bailiff.sock"
    group = nil
    filters = ["/etc/bailiff/filters", "/usr/share/bailiff/filters"]
    firewall = FirewallSettings()
    ignoreip = []
    everybody = false
    containerRoots = [
      "/var/lib/docker", "/var/snap/docker/common/var-lib-docker", "/var/lib/containers/storage", "/var/log/containers",
    ]
    ignoreself = true
    protectSessions = .administrators
    onFull = .wait
    bansPerMinuteWarning = 200
    retention = Retention()
    defaults = Jail(name: "defaults")
    jails = []
    outputs = []
  }

  public var database: String { state.hasSuffix("/") ? state + "bailiff.db" : state + "/bailiff.db" }

  public var library: FilterLibrary { FilterLibrary(directories: filters) }
}

public struct FirewallSettings: Sendable, Equatable {
  public enum Backend: String, Sendable, CaseIterable {
    /// The one that fits this machine.
    case auto
    case ipset
    case nftables
    case dryRun = "dry-run"
  }

  /// A packet's way through this machine on which bans hold.
  public enum Path: String, Sendable, CaseIterable { case host, containers }

  public var backend: Backend
  /// On which ways bans hold.
  public var protect: Set<Path>
  /// The chains of iptables into which Bailiff's own is hooked, where others are wanted than `protect` means; one that does
  /// not exist is hooked as soon as it does.
  public var chains: [String]?
  /// What is blocked, and what alone is open, without any failure.
  public var staticRules: [StaticRuleSettings] = []
  /// Nil: new connections are not limited.
  public var synLimit: SynLimitSettings?

  public init(backend: Backend = .auto, protect: Set<Path> = Set(Path.allCases), chains: [String]? = nil) {
    self.backend = backend
    self.protect = protect
    self.chains = chains
  }
}

/// What happens to the audit when the disk is full; bans are applied in either case.
public enum OnFull: String, Sendable, CaseIterable {
  /// Reading waits until the store can be written again: nothing is lost.
  case wait
  /// Reading goes on without the audit; what was not recorded is counted.
  case shed
}

/// How long the audit is kept; nil: permanent.
public struct Retention: Sendable, Equatable {
  public var failures: TimeSpan?
  public var bans: TimeSpan?
  /// The store's size in bytes, above which the oldest failures go first.
  public var size: Int64?
  public var activity: TimeSpan?
  /// The same for activities, which `size` does not count.
  public var activitySize: Int64?

  public init(
    failures: TimeSpan? = .hours(90 * 24), bans: TimeSpan? = .hours(2 * 365 * 24 + 12), size: Int64? = 2 << 30,
    activity: TimeSpan? = .hours(365 * 24 + 6), activitySize: Int64? = 256 << 20
  ) {
    self.activity = activity
    self.activitySize = activitySize
    self.failures = failures
    self.bans = bans
    self.size = size
  }
}
