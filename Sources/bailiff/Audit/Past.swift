import API
import AuditLog
import Glibc
import Inspection
import Model
import Reporting
import Settings
import System

/// Where the commands that look at the past find it: in the store, which also works while the daemon is down; or, where this
/// user may not read that, with the daemon.
struct Past: Sendable {
  private enum Source {
    case store(AuditInspection)
    case daemon(ControlClient)
  }

  private let source: Source
  private let config: ConfigOptions

  init(_ config: ConfigOptions) throws {
    self.config = config
    let places = try config.places()
    let path = places.database
    guard Self.isForbidden(path) else {
      source = .store(AuditInspection(try AuditStore.readOnly(path: path), geo: places.geo))
      return
    }
    let client = try config.client(deadline: 120)
    do { _ = try client.status() } catch {
      guard error.kind == .notRunning || error.kind == .notPermitted else { throw error }
      throw RequestError(
        .invalid, "\(path) may not be read by this user, and the daemon does not answer it: \(error.message)",
        remedy: "use sudo; members of the group that `group:` names are answered by the daemon")
    }
    source = .daemon(client)
  }

  /// Is there a store, or a directory before it, that this user may not look into?
  private static func isForbidden(_ path: String) -> Bool {
    // Safe: access(2) reads the path during the call.
    unsafe access(path, R_OK) != 0 && errno == EACCES
  }

  func explain(_ id: String, bans: Int, now: Instant) throws -> ExplainReply {
    switch source {
    case .store(let audit):
      try audit.explain(Identity(id), bans: bans, settings: config.read().settings, at: now)
    case .daemon(let client): try client.explain(id, bans: bans)
    }
  }

  func page(_ filter: AuditFilter, limit: Int, before: AuditCursor?, mostRead: Int) throws -> AuditPage {
    switch source {
    case .store(let audit): try audit.page(filter, limit: limit, before: before, mostRead: mostRead)
    case .daemon(let client): try client.page(filter, limit: limit, before: before, mostRead: mostRead)
    }
  }

  /// Newest first, at most `limit`. In pages: a slow reader of a pipe must not hold a moment of the store, whose
  /// write-ahead log would grow.
  func rows(
    _ filter: AuditFilter, limit: Int?, before: AuditCursor?, _ body: (AuditRow) -> Void
  ) throws {
    var cursor = before
    var left = limit ?? .max
    while left > 0 {
      let page = try page(filter, limit: min(left, 4096), before: cursor, mostRead: 10_000_000)
      for row in page.rows { body(row) }
      left -= page.rows.count
      guard let next = page.next else { break }
      cursor = next
    }
  }

  func top(by key: TopKey, since: Instant, until: Instant?, limit: Int) throws -> TopResult {
    switch source {
    case .store(let audit):
      try audit.top(by: key, since: since, until: until ?? Instant(microseconds: .max), limit: limit)
    case .daemon(let client): try client.top(by: key, since: since, until: until, limit: limit)
    }
  }

  func activities(_ filter: ActivityFilter, limit: Int) throws -> [ActivityReply] {
    switch source {
    case .store(let audit): try audit.reader.activities(filter, limit: limit).map { ActivityReply($0) }
    case .daemon(let client): try client.activities(filter, limit: limit)
    }
  }

  func alerts(_ filter: AlertFilter, limit: Int, hasLines: Bool) throws -> [AlertReply] {
    switch source {
    case .store(let audit): try audit.alerts(filter, limit: limit, hasLines: hasLines)
    case .daemon(let client): try client.alerts(filter, limit: limit, hasLines: hasLines)
    }
  }

  func checkpoint() throws -> CheckpointReply {
    switch source {
    case .store(let audit): try audit.checkpoint(at: SystemClock.now())
    case .daemon(let client): try client.checkpoint()
    }
  }

  /// - Parameter progress: told how many rows were checked.
  func verify(against checkpoint: Checkpoint?, progress: @escaping (Int) -> Void) throws -> VerifyReply {
    switch source {
    case .store(let audit): VerifyReply(try audit.reader.verify(against: checkpoint, progress: progress))
    case .daemon(let client): try client.verify(against: checkpoint?.description)
    }
  }

  func whatIf(_ question: WhatIf) throws -> WhatIfReply {
    switch source {
    case .store(let audit): try question.reply(audit, config.read().settings, at: SystemClock.now())
    case .daemon(let client): try client.whatIf(question)
    }
  }

  /// - Parameter status: the daemon's, while it runs.
  func report(since: Instant, until: Instant, status: StatusReply?) throws -> [UInt8] {
    switch source {
    case .store(let audit):
      let now = SystemClock.now()
      let posture = try? PostureReply(
        config.read().settings, daemon: status.map { .init(isDryRun: $0.dryRun, warnings: $0.warnings) }, at: now)
      let report = try Reporting.Report(
        audit, since: since, until: until, host: LocalHost.name, version: Bailiff.version,
        made: now, cost: status.map(ReportCost.rows) ?? [], posture: posture)
      return Array(report.html.utf8)
    case .daemon(let client): return try client.report(since: since, until: until)
    }
  }
}
