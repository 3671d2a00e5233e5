/// Something that needs a person: `status` lists it and exits with 4 until it is mended. docs/warnings.md has each code's
/// cause and remedy. What needs nobody is a line in the log, not a warning.
public struct Warning: Hashable, Sendable, Codable {
  public var code: Code
  /// What it is about: a jail, a source, a chain, a list; empty where there is only one of its kind.
  public var subject: String
  /// One line: what is wrong, and what helps.
  public var text: String
  /// When it was first noticed, without a break since.
  public var since: Instant

  public init(_ code: Code, of subject: String = "", _ text: String, since: Instant) {
    self.code = code
    self.subject = subject
    self.text = text
    self.since = since
  }

  /// Scripts compare these texts, so none is ever renamed.
  public enum Code: String, Hashable, Sendable, Codable, CaseIterable {
    // What is watched.
    /// A jail has an error in its settings or filter and does not run.
    case jailDropped = "jail_dropped"
    /// A jail runs, and none of its sources can be read.
    case jailBlind = "jail_blind"
    /// A source of a jail that has others cannot be read.
    case sourceFailed = "source_failed"
    /// Lines come, and no filter that reads them knows their form or their program.
    case sourceNotUnderstood = "source_not_understood"
    /// The filter finds its service's lines in another place than the one that is read.
    case sourceElsewhere = "source_elsewhere"
    /// Lines that match are not believed, because a client may have written them.
    case sourceNotBelieved = "source_not_believed"
    /// A source's stamps are so far from now that its clock must be wrong.
    case sourceClock = "source_clock"
    /// All addresses of a jail's lines are those of a proxy.
    case jailSeesProxy = "jail_sees_proxy"
    /// Unusually many addresses without a past fail at once: the service itself may be in trouble.
    case jailManyNew = "jail_many_new"
    /// A pattern reaches its limits on some lines, which are lost.
    case patternLimited = "pattern_limited"

    // What is decided.
    /// The settings on disk are wrong; those from before hold.
    case settingsNotLoaded = "settings_not_loaded"
    /// Names in `ignoreip` have no address.
    case namesUnresolved = "names_unresolved"
    /// It cannot be seen who is logged in, so nobody is spared for it.
    case guardBlind = "guard_blind"
    /// A blocklist or an allow list is older than it should be.
    case listStale = "list_stale"
    /// This machine's clock was set, or is not kept in time.
    case clock

    // What is enforced.
    /// Rules, sets or tables of ours are missing, or cannot be written.
    case firewallNotEnforcing = "firewall_not_enforcing"
    /// A rule above ours lets packets pass before they reach it.
    case firewallRuleAbove = "firewall_rule_above"

    // What is recorded, and who is told.
    /// The store cannot be written.
    case storeNotWriting = "store_not_writing"
    /// The store is larger than its bound and cannot be made smaller.
    case storeOverSize = "store_over_size"
    /// A consumer of the audit log (an output, the fleet) is far behind or was given up.
    case consumerBehind = "consumer_behind"
  }
}

extension Warning {
  /// `jail_dropped sshd`, or only the code where it has no subject.
  public var name: String { subject.isEmpty ? code.rawValue : "\(code.rawValue) \(subject)" }
}

extension Warning: CustomStringConvertible {
  /// `jail_dropped sshd: …`.
  public var description: String { "\(name): \(text)" }
}

extension Instant: Codable {
  /// RFC 3339 in UTC, `2026-11-21T05:24:01.25Z`.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    guard let instant = Instant(rfc3339: try container.decode(String.self)) else {
      throw DecodingError.dataCorruptedError(
        in: container, debugDescription: "expected a time such as 2026-11-21T05:24:01Z")
    }
    self = instant
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(rfc3339())
  }
}
