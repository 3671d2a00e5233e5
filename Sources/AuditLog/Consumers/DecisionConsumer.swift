public import Model

/// Somebody who is told what is stored: an output, a log, a peer.
///
/// ```swift
/// let mail = DecisionConsumer(name: "mail", kinds: [.ban, .unban], jails: ["sshd"], isRequired: true) { rows in
///   guard try smtp.send(rows) else { return .later(.seconds(60)) }
///   return .done
/// }
/// consumers.start([mail])
/// ```
///
/// Each has a thread and a position of its own in the log; `receive` may block as long as it likes. It is told everything that
/// its filter lets through, in the order in which it was stored, at least once: the position moves when `receive` says so, and is
/// stored with the next transaction, so after a crash the last rows may come again. Who is slow or down lags; nobody waits for
/// them, and decisions least of all.
public struct DecisionConsumer: Sendable {
  /// Where one begins that the store does not know yet.
  public enum Start: Sendable {
    case beginning
    /// What is stored from now on.
    case end
    /// Throws at its first look when that is a position of another store.
    case after(AuditPosition)
  }

  /// What became of the rows.
  public enum Receipt: Sendable, Equatable {
    case done
    /// Only the first `handled` of them were dealt with. The others come again after the pause, with what has come since: for
    /// limits on the rate, digests, and whoever does not answer.
    case later(Duration, handled: Int = 0)
    /// The same, because of a problem, which `status` shows until something is dealt with.
    case refused(String, again: Duration, handled: Int = 0)
  }

  /// Names its position in the store; unique.
  public let name: String
  public var filter: AuditFilter
  /// Retention keeps what it has not had: see `ConsumerLimits.holdBack`.
  public let isRequired: Bool
  /// Its position is stored. One that is not begins anew at `start` each time.
  public let isStored: Bool
  public let start: Start
  /// At most so many rows at once.
  public let limit: Int
  /// Is lent rows, at least one. What it throws is shown by `status`, and the rows come again after a pause that grows.
  public let receive: @Sendable ([AuditRow]) throws -> Receipt

  /// - Parameters:
  ///   - kinds: which rows; empty: all.
  ///   - jails: of which jails; empty: all. Rows that are about no jail (events) come with all of them.
  public init(
    name: String, kinds: Set<AuditRow.Kind> = [], jails: Set<String> = [], start: Start = .end,
    isRequired: Bool = false,
    isStored: Bool = true, limit: Int = 1000, receive: @escaping @Sendable ([AuditRow]) throws -> Receipt
  ) {
    var filter = AuditFilter()
    filter.kinds = kinds
    filter.jails = jails
    self.init(
      name: name, filter: filter, start: start, isRequired: isRequired, isStored: isStored, limit: limit,
      receive: receive)
  }

  public init(
    name: String, filter: AuditFilter, start: Start = .end, isRequired: Bool = false, isStored: Bool = true,
    limit: Int = 1000, receive: @escaping @Sendable ([AuditRow]) throws -> Receipt
  ) {
    self.name = name
    self.filter = filter
    self.isRequired = isRequired
    self.isStored = isStored
    self.start = start
    self.limit = limit
    self.receive = receive
  }
}

/// How a consumer is doing, for `status`.
public struct ConsumerStatus: Sendable, Equatable {
  public var name: String
  /// How many rows of the kinds that it wants are stored behind its position.
  public var behind: Int
  /// Since when it has not had everything.
  public var behindSince: Instant?
  /// How many rows it was told and dealt with since the start.
  public var delivered: Int
  /// What it answered last, when that was an error.
  public var problem: String?
  /// How many rows retention removed before it had them.
  public var missed: Int
}

public enum ConsumerLimits {
  /// For so long past its time retention keeps what a required consumer has not had. The limit on the store's size is kept in any
  /// case.
  public static let holdBack = TimeSpan.hours(7 * 24)
}
