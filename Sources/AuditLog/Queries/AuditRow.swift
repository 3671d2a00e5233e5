public import Model

/// One line of the audit: a failure, a decision, or something else that happened. What does not apply is nil or empty.
public struct AuditRow: Hashable, Sendable {
  public enum Kind: String, Sendable, CaseIterable { case failure, ban, unban, `operator` }

  public var kind: Kind
  /// The row's number among failures, decisions or events; with the kind it names the row.
  public var number: Int64
  public var time: Instant
  /// `failure`, `ban`, `extend`, `unban`, or what an event did (`AuditEvent.Action`).
  public var action: String
  public var jail: String = ""
  /// The address, block or name. For failures the address as the daemon wrote it, before any prefix is applied.
  public var id: String = ""
  /// How many failures it represents; for bans, how many were in the window.
  public var count: Int = 0

  // Failures.
  public var user: String = ""
  public var filter: String = ""
  public var pattern: String = ""
  public var filterFile: String = ""
  public var source: String = ""
  /// The file offset of the line's first byte; nil for the journal.
  public var offset: Int64?
  /// As `journalctl --cursor=` takes it; nil for files.
  public var cursor: String?
  public var weight: Int = 0
  /// The rule of a web application firewall that was hit: `942100`.
  public var rule: String = ""
  /// What the firewall's rules say of it, and how grave they take it to be.
  public var message: String = ""
  public var severity: String = ""
  public var line: String = ""
  /// Of a row that represents several lines within a second: the last of them.
  public var lastTime: Instant?
  public var lastOffset: Int64?
  public var lastLine: String?

  // Decisions.
  /// When the ban ends; nil: never, or no ban.
  public var until: Instant?
  /// Which ban of this id it is, from 1.
  public var banNumber: Int = 0
  /// `limit`, `escalated`, `operator`, `fleet`, `expired`, `reconciled`.
  public var cause: String = ""
  /// Was it decided by a dry run, and never carried out?
  public var isDryRun = false

  // Operators and events.
  public var uid: UInt32?
  public var command: String = ""
  /// The source, pattern or file that an event is about.
  public var subject: String = ""
  public var detail: String = ""

  /// Where the id is from, where the asker has looked that up: it is not stored.
  public var origin = GeoFacts()

  /// Behind it in the order of storing: of rows that are told in that order.
  public var position: AuditPosition?

  public init(kind: Kind, number: Int64, time: Instant, action: String) {
    self.kind = kind
    self.number = number
    self.time = time
    self.action = action
  }

  /// Where it is among rows of the same time: a ban comes after the failure that caused it.
  var rank: Int {
    switch kind {
    case .failure: 0
    case .ban, .unban: 1
    case .operator: 2
    }
  }

  var mark: AuditCursor { AuditCursor(time: time, rank: rank, number: number) }
}

/// Which rows are wanted. Everything that is set must hold.
public struct AuditFilter: Hashable, Sendable {
  public var since: Instant?
  /// Rows before this moment.
  public var until: Instant?
  /// An address or a block; decisions about blocks that contain it count too. A name matches as it is.
  public var identity: Identity?
  public var user: String?
  /// Empty: all.
  public var jails: Set<String> = []
  public var pattern: String?
  public var source: String?
  /// Empty: all. `operator` also finds the bans and unbans that operators made.
  public var kinds: Set<AuditRow.Kind> = []
  /// Stands anywhere in the line, the user or what an operator did; case does not matter.
  public var text: String?
  /// Without what a dry run decided.
  public var isReal = false

  public init() {}

  /// The one jail that is asked for.
  public var jail: String? {
    get { jails.count == 1 ? jails.first : nil }
    set { jails = newValue.map { [$0] } ?? [] }
  }

  func wants(_ kind: AuditRow.Kind) -> Bool { kinds.isEmpty || kinds.contains(kind) }

  func wants(_ kind: RecordKind) -> Bool {
    switch kind {
    case .failures: wants(.failure)
    case .decisions: !isAboutFailures && (wants(.ban) || wants(.unban) || wants(.operator))
    case .events: !isAboutFailures && wants(.operator) && identity == nil
    }
  }

  /// Do the things asked for exist on failures alone?
  var isAboutFailures: Bool { user != nil || pattern != nil || source != nil }
}

/// A place in the audit's order, newest first: the rows after it are older. Printed, it fits a command line.
public struct AuditCursor: Hashable, Sendable, CustomStringConvertible {
  var time: Instant
  var rank: Int
  var number: Int64

  /// Of failures, decisions and events.
  static let ranks = 0...2

  init(time: Instant, rank: Int, number: Int64) {
    self.time = time
    self.rank = rank
    self.number = number
  }

  public init?(_ text: some StringProtocol) {
    let parts = text.split(separator: "-", omittingEmptySubsequences: false)
    guard parts.count == 3, let time = Int64(parts[0]), let rank = Int(parts[1]), Self.ranks.contains(rank),
      let number = Int64(parts[2])
    else { return nil }
    self.init(time: Instant(microseconds: time), rank: rank, number: number)
  }

  public var description: String { "\(time.microseconds)-\(rank)-\(number)" }

  /// Is `other` further down the list?
  func isNewer(than other: AuditCursor) -> Bool {
    (time, rank, number) > (other.time, other.rank, other.number)
  }
}

public struct AuditPage: Sendable {
  public var rows: [AuditRow]
  /// Where the next page begins; nil when this was the last.
  public var next: AuditCursor?
  /// Up to when rows were looked through, when the page ended because there were so many of them.
  public var readThrough: Instant?

  public init(rows: [AuditRow], next: AuditCursor?, readThrough: Instant? = nil) {
    self.rows = rows
    self.next = next
    self.readThrough = readThrough
  }
}
