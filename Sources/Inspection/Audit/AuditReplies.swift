public import AuditLog
public import Model

/// One name of `top`.
public struct TopReply: Hashable, Sendable, Codable {
  /// What was counted by: `ip`, `prefix`, `user` …
  public var by: String
  public var name: String
  public var failures: Int
  public var bans: Int
  /// What is known of it, of a rule its message; left out where nothing is.
  public var detail: String

  public init(_ entry: TopEntry, by key: TopKey) {
    by = key.rawValue
    name = entry.name
    failures = entry.failures
    bans = entry.bans
    detail = entry.detail
  }

  public var entry: TopEntry {
    var entry = TopEntry(name: name, failures: failures, bans: bans)
    entry.detail = detail
    return entry
  }

  private enum CodingKeys: CodingKey { case by, name, failures, bans, detail }

  public init(from decoder: any Decoder) throws {
    let members = try decoder.container(keyedBy: CodingKeys.self)
    by = try members.decode(String.self, forKey: .by)
    name = try members.decode(String.self, forKey: .name)
    failures = try members.decode(Int.self, forKey: .failures)
    bans = try members.decode(Int.self, forKey: .bans)
    detail = try members.decodeIfPresent(String.self, forKey: .detail) ?? ""
  }

  public func encode(to encoder: any Encoder) throws {
    var members = encoder.container(keyedBy: CodingKeys.self)
    try members.encode(by, forKey: .by)
    try members.encode(name, forKey: .name)
    try members.encode(failures, forKey: .failures)
    try members.encode(bans, forKey: .bans)
    if !detail.isEmpty { try members.encode(detail, forKey: .detail) }
  }
}

/// The end of the chain, to be kept elsewhere.
public struct CheckpointReply: Hashable, Sendable, Codable {
  public var checkpoint: String
  public var time: Instant

  public init(_ checkpoint: Checkpoint, at time: Instant) {
    self.checkpoint = checkpoint.description
    self.time = time
  }
}

/// Whether the record is whole.
public struct VerifyReply: Hashable, Sendable, Codable {
  public struct Problem: Hashable, Sendable, Codable {
    /// `changed`, `removed` …, of `row` in `transaction`, which was committed at `time`.
    public var kind: String
    public var row: String
    public var transaction: Int64
    public var time: Instant?
  }

  public var whole: Bool
  public var problem: Problem?
  public var transactions: Int
  public var failures: Int
  public var decisions: Int
  public var events: Int
  public var checkpoint: String?
  /// Is the checkpoint that was given part of the chain? Nil when none was given.
  public var checkpointFound: Bool?
  /// Failures, decisions and events up to these numbers were removed by retention.
  public var removedThrough: [String: Int64]

  public init(_ found: Verification) {
    whole = found.isWhole
    problem = found.problem.map {
      Problem(kind: $0.kind.rawValue, row: $0.row, transaction: $0.transaction, time: $0.time)
    }
    transactions = found.transactions
    failures = found.failures
    decisions = found.decisions
    events = found.events
    checkpoint = found.checkpoint?.description
    checkpointFound = found.checkpointFound
    removedThrough = found.removedThrough
  }
}
