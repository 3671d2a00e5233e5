import AuditLog
import HTTPServing
import Inspection
import Model
import NIOCore
import NIOHTTP1
import Reporting
import Settings
import Synchronization
import System

/// What is asked of the store.
extension ControlRoutes {
  var auditEndpoints: [Endpoint] {
    [
      endpoint(
        .GET, "/api/v1/explain",
        about: About(
          "Why an address is banned, or not.",
          query: [
            .text("id", "An address, a block or a name.", isRequired: true),
            .integer("bans", "How many of its bans: 1 to 1000."),
          ], answers: .json(.init(ExplainReply.self)))
      ) { request, _ in
        let question = try ExplainQuestion(request)
        return try await .json(
          ask { audit, context in
            try audit.explain(
              question.identity, bans: question.bans, settings: context.settings(), at: SystemClock.now())
          })
      },
      endpoint(
        .GET, "/api/v1/audit",
        about: About(
          "Failures, bans and operators' acts, newest first.",
          query: AuditQuestion.parameters + [
            .integer("limit", "A page of so many rows, 1 to 4096."),
            .text("before", "The next page: the header Bailiff-Next of the last one."),
            .integer("most_read", "Look through so many rows at most."),
          ], answers: .lines(.init(AuditRow.self)))
      ) { request, _ in
        try await rows(AuditQuestion(request))
      },
      endpoint(
        .GET, "/api/v1/top",
        about: About(
          "Who fails most.",
          query: [.words("by", TopKey.allCases.map(\.rawValue), "What is counted.")] + TimeRange.parameters
            + [.integer("limit", "So many names: 1 to 100000.")], answers: .lines(.init(TopReply.self)))
      ) { request, _ in
        let question = try TopQuestion(request)
        let result = try await ask { audit, _ in
          try audit.top(by: question.key, since: question.since, until: question.until, limit: question.limit)
        }
        return .lines(result.entries.map { TopReply($0, by: question.key) }, headers: TopHeaders.make(result))
      },
      endpoint(
        .GET, "/api/v1/audit/checkpoint",
        about: About("The end of the audit's chain.", answers: .json(.init(CheckpointReply.self)))
      ) { _, _ in
        try await .json(ask { audit, _ in try audit.checkpoint(at: SystemClock.now()) })
      },
      endpoint(
        .GET, "/api/v1/audit/verify",
        about: About(
          "Is the record whole?", query: [.text("checkpoint", "An earlier end of the chain.")],
          answers: .json(.init(VerifyReply.self)))
      ) { request, _ in
        let wanted = try request.query("checkpoint").map { text throws(RequestError) in
          guard let checkpoint = Checkpoint(text) else {
            throw RequestError(
              .invalid, "`\(text)` is no checkpoint; write NUMBER:HASH as an earlier verify printed it")
          }
          return checkpoint
        }
        return try await .json(ask { audit, _ in VerifyReply(try audit.reader.verify(against: wanted) { _ in }) })
      },
      endpoint(
        .GET, "/api/v1/posture",
        about: About("How well this machine is kept.", answers: .json(.init(PostureReply.self)))
      ) { _, _ in
        try await .json(posture())
      },
      endpoint(
        .GET, "/api/v1/filters", about: About("The native filters.", answers: .lines(.init(FilterReply.self)))
      ) { _, _ in
        let filters = try await blocking { context.settings().library.all().filters }
        return .lines(filters.map { FilterReply($0) })
      },
      endpoint(
        .GET, "/api/v1/report", about: About("A page for people.", query: TimeRange.parameters, answers: .html)
      ) { request, _ in
        let now = SystemClock.now()
        let range = try TimeRange(request, since: "7d", now: now)
        let version = context.version
        let status = try await handlers.status()
        let posture = try await posture()
        let html = try await ask { audit, _ in
          try Report(
            audit, since: range.since, until: range.until, host: LocalHost.name, version: version, made: now,
            cost: ReportCost.rows(status), posture: posture
          ).html
        }
        return HTTPResponse(
          status: .ok, headers: Self.reportHeaders,
          body: .bytes(ByteBuffer(string: html)))
      },
    ]
  }

  /// How the machine was at most a minute ago: looking takes some seconds, however many ask.
  func posture() async throws -> PostureReply {
    let status = try await handlers.status()
    let (context, lately) = (context, lately)
    return try await blocking {
      try lately.posture(at: SystemClock.now()) { now in
        try PostureReply(
          context.settings(), daemon: .init(isDryRun: status.dryRun, warnings: status.warnings), at: now)
      }
    }
  }

  /// Opens the store and asks it, where that may block.
  func ask<Reply: Sendable>(
    _ body: @escaping @Sendable (AuditInspection, InspectionContext) throws -> Reply
  ) async throws -> Reply {
    let context = context
    return try await blocking { try body(try context.audit(), context) }
  }

  /// With a limit one page, whose header has the next one's cursor; without, everything, page by page: a slow reader must
  /// not hold a moment of the store, whose write-ahead log would grow.
  private func rows(_ question: AuditQuestion) async throws -> HTTPResponse {
    if let limit = question.limit {
      let page = try await ask { audit, _ in
        try audit.page(question.filter, limit: limit, before: question.before, mostRead: question.mostRead)
      }
      return .lines(page.rows, headers: PageHeaders.make(page))
    }
    let cursor = Mutex<AuditCursor?>(question.before)
    let isDone = Mutex(false)
    return .lines { () async throws -> [AuditRow] in
      guard !isDone.withLock({ $0 }) else { return [] }
      let from = cursor.withLock { $0 }
      let page = try await ask { audit, _ in try audit.page(question.filter, limit: 4096, before: from) }
      cursor.withLock { $0 = page.next }
      isDone.withLock { $0 = page.next == nil }
      return page.rows
    }
  }
}
