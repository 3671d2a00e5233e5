public import Model

/// How the daemon is: what `bailiff status` shows.
public struct StatusReply: Hashable, Sendable, Codable {
  /// Does nothing need a person?
  public var ok: Bool
  public var version: String
  public var pid: Int32
  public var started: Instant
  /// Seconds.
  public var uptime: Double
  public var dryRun: Bool
  /// The settings file in force.
  public var config: String
  public var sources: [SourceStatus]
  public var jails: [JailStatus]
  public var store: StoreStatus
  public var firewall: FirewallStatus
  /// Who is told what is stored, and how far.
  public var consumers: [ConsumerReply]
  /// Patterns that hit their limits too often and are no longer tried.
  public var quarantined: [QuarantinedPattern]
  /// What needs a person; docs/warnings.md.
  public var warnings: [Warning]

  public init(
    version: String, pid: Int32, started: Instant, uptime: Double, dryRun: Bool, config: String,
    sources: [SourceStatus], jails: [JailStatus], store: StoreStatus, firewall: FirewallStatus,
    consumers: [ConsumerReply] = [], quarantined: [QuarantinedPattern] = [], warnings: [Warning] = []
  ) {
    ok = warnings.isEmpty
    self.version = version
    self.pid = pid
    self.started = started
    self.uptime = uptime
    self.dryRun = dryRun
    self.config = config
    self.sources = sources
    self.jails = jails
    self.store = store
    self.firewall = firewall
    self.consumers = consumers
    self.quarantined = quarantined
    self.warnings = warnings
  }
}

/// A source's counters since the start; `read = matched + ignored + unmatched + tooLong`.
public struct SourceStatus: Hashable, Sendable, Codable {
  /// A path, or `journal` with its matches.
  public var name: String
  public var ok: Bool
  /// What keeps it from being read (missing, unreadable); nil: it is read.
  public var problem: String?
  public var read: UInt64
  public var matched: UInt64
  public var ignored: UInt64
  public var unmatched: UInt64
  public var tooLong: UInt64
  /// Matches that were not believed, because a client may have written the line; among `unmatched`.
  public var distrusted: UInt64
  /// The offset, or the journal cursor; nil before the first line.
  public var position: String?
  /// Bytes not read yet (files), or seconds behind (journal); nil when it is not known.
  public var lag: Double?
  /// How many seconds its stamps are ahead (negative: behind); nil: they are right.
  public var clockOffset: Double?
  public var jails: [String]

  public init(
    name: String, problem: String? = nil, read: UInt64, matched: UInt64, ignored: UInt64, unmatched: UInt64,
    tooLong: UInt64, distrusted: UInt64 = 0, position: String? = nil, lag: Double? = nil, clockOffset: Double? = nil,
    jails: [String] = []
  ) {
    self.name = name
    ok = problem == nil
    self.problem = problem
    self.read = read
    self.matched = matched
    self.ignored = ignored
    self.unmatched = unmatched
    self.tooLong = tooLong
    self.distrusted = distrusted
    self.position = position
    self.lag = lag
    self.clockOffset = clockOffset
    self.jails = jails
  }
}

/// A jail, and what it has counted since its store was begun.
public struct JailStatus: Hashable, Sendable, Codable {
  public var name: String
  public var ok: Bool
  /// Why it does not run; nil: it runs.
  public var problem: String?
  public var failures: UInt64
  /// Ids with failures in their window now.
  public var tracked: Int
  /// Ids that were released to keep memory bounded.
  public var evicted: UInt64
  /// Bans in force.
  public var bans: Int
  /// Bans ever, by the store.
  public var bansEver: UInt64

  public init(
    name: String, problem: String? = nil, failures: UInt64, tracked: Int, evicted: UInt64, bans: Int, bansEver: UInt64
  ) {
    self.name = name
    ok = problem == nil
    self.problem = problem
    self.failures = failures
    self.tracked = tracked
    self.evicted = evicted
    self.bans = bans
    self.bansEver = bansEver
  }
}

public struct StoreStatus: Hashable, Sendable, Codable {
  public var ok: Bool
  /// Nil: it is well.
  public var problem: String?
  public var path: String
  /// Of the database and its log, on disk.
  public var bytes: UInt64
  public var failures: UInt64
  /// Rows that were given up because the disk was full (`on_full: shed`).
  public var shed: UInt64

  public init(path: String, problem: String? = nil, bytes: UInt64, failures: UInt64, shed: UInt64 = 0) {
    ok = problem == nil
    self.problem = problem
    self.path = path
    self.bytes = bytes
    self.failures = failures
    self.shed = shed
  }
}

public struct FirewallStatus: Hashable, Sendable, Codable {
  public var ok: Bool
  /// Nil: it is well.
  public var problem: String?
  /// `ipset`, `nftables` or `dry-run`.
  public var backend: String
  /// Why it is that one.
  public var reason: String?
  public var chains: [String]
  /// Addresses and blocks held.
  public var entries: Int
  /// How often something of ours was gone and was put back.
  public var repairs: UInt64

  public init(
    backend: String, reason: String? = nil, problem: String? = nil, chains: [String], entries: Int, repairs: UInt64 = 0
  ) {
    ok = problem == nil
    self.reason = reason
    self.problem = problem
    self.backend = backend
    self.chains = chains
    self.entries = entries
    self.repairs = repairs
  }
}

/// An output, or whoever else is told what is stored.
public struct ConsumerReply: Hashable, Sendable, Codable {
  public var name: String
  public var ok: Bool
  /// Why it could not take the last ones; nil: it could.
  public var problem: String?
  /// How many rows it has not had yet, and since when; nil: it has had all.
  public var behind: Int
  public var behindSince: Instant?
  /// Since the start.
  public var delivered: Int
  /// Rows that retention removed before it had them.
  public var missed: Int

  public init(
    name: String, behind: Int, behindSince: Instant?, delivered: Int, missed: Int = 0, problem: String? = nil
  ) {
    self.name = name
    ok = problem == nil
    self.problem = problem
    self.behind = behind
    self.behindSince = behindSince
    self.delivered = delivered
    self.missed = missed
  }
}

public struct QuarantinedPattern: Hashable, Sendable, Codable {
  public var filter: String
  public var pattern: String
  public var reason: String
  public var hits: UInt64

  public init(filter: String, pattern: String, reason: String, hits: UInt64) {
    self.filter = filter
    self.pattern = pattern
    self.reason = reason
    self.hits = hits
  }
}
