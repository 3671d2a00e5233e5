public import Model

/// Lists and allowances, as the daemon answers for them.
public struct ListHandlers: Sendable {
  public var lists: @Sendable () async throws -> [ListReply]
  public var accept: @Sendable (ListRequest, Operator) async throws -> ListReply
  public var allowed: @Sendable () async throws -> [AllowedReply]
  public var allow: @Sendable (AllowRequest, Operator) async throws -> AllowedReply
  public var disallow: @Sendable (DisallowRequest, Operator) async throws -> DisallowedReply

  public init(
    lists: @escaping @Sendable () async throws -> [ListReply],
    accept: @escaping @Sendable (ListRequest, Operator) async throws -> ListReply,
    allowed: @escaping @Sendable () async throws -> [AllowedReply],
    allow: @escaping @Sendable (AllowRequest, Operator) async throws -> AllowedReply,
    disallow: @escaping @Sendable (DisallowRequest, Operator) async throws -> DisallowedReply
  ) {
    self.lists = lists
    self.accept = accept
    self.allowed = allowed
    self.allow = allow
    self.disallow = disallow
  }

  /// Of a daemon without any.
  public init() {
    let none: @Sendable () -> RequestError = { RequestError(.rejected, "this daemon keeps no lists") }
    self.init(
      lists: { [] }, accept: { _, _ in throw none() }, allowed: { [] }, allow: { _, _ in throw none() },
      disallow: { _, _ in throw none() })
  }
}

/// One list of the settings, and how it is doing.
public struct ListReply: Hashable, Sendable, Codable {
  public var name: String
  /// A path or a URL.
  public var source: String
  /// Does it spare what it holds?
  public var allow: Bool
  /// Does it neither spare nor block, but is named by rules of the firewall?
  public var rulesOnly: Bool
  /// Entries in force.
  public var entries: Int
  /// Entries that are not, because something spares them.
  public var leftOut: Int
  /// Lines of its source without an address.
  public var strange: Int
  /// When what is in force was read, and when the source was looked at last; nil: never.
  public var loaded: Instant?
  public var checked: Instant?
  /// Why the source's last state is not in force.
  public var problem: String?

  public init(
    name: String, source: String, allow: Bool, rulesOnly: Bool, entries: Int, leftOut: Int, strange: Int,
    loaded: Instant?, checked: Instant?, problem: String?
  ) {
    self.name = name
    self.source = source
    self.allow = allow
    self.rulesOnly = rulesOnly
    self.entries = entries
    self.leftOut = leftOut
    self.strange = strange
    self.loaded = loaded
    self.checked = checked
    self.problem = problem
  }
}

/// Somebody who is spared because a person said so.
public struct AllowedReply: Hashable, Sendable, Codable {
  public var id: String
  public var since: Instant
  /// Nil: until it is taken back.
  public var until: Instant?
  public var uid: UInt32
  public var why: String

  public init(id: String, since: Instant, until: Instant?, uid: UInt32, why: String) {
    self.id = id
    self.since = since
    self.until = until
    self.uid = uid
    self.why = why
  }
}

public struct DisallowedReply: Hashable, Sendable, Codable {
  public var id: String

  public init(id: String) { self.id = id }
}
