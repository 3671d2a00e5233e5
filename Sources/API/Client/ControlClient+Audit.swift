public import AuditLog
public import Inspection
internal import JSON
public import Model

/// What the daemon answers from its store, for users who may ask it and not read the store.
extension ControlClient {
  public func explain(_ id: String, bans: Int) throws(RequestError) -> ExplainReply {
    try get(Self.uri("/api/v1/explain", [("id", id), ("bans", "\(bans)")]))
  }

  public func checkpoint() throws(RequestError) -> CheckpointReply { try get("/api/v1/audit/checkpoint") }

  public func verify(against checkpoint: String?) throws(RequestError) -> VerifyReply {
    try get(Self.uri("/api/v1/audit/verify", [("checkpoint", checkpoint)]))
  }

  /// All rows that `filter` lets through, newest first, some thousand at a time.
  public func rows(
    _ filter: AuditFilter, before: AuditCursor? = nil, _ body: ([AuditRow]) throws(RequestError) -> Void
  ) throws(RequestError) {
    try lines("/api/v1/audit", Self.query(filter) + [("before", before?.description)], body)
  }

  /// One page of rows, newest first.
  /// - Parameter mostRead: how many rows are looked through at most.
  public func page(
    _ filter: AuditFilter, limit: Int, before: AuditCursor? = nil, mostRead: Int? = nil
  ) throws(RequestError) -> AuditPage {
    var rows: [AuditRow] = []
    let query = [("before", before?.description), ("limit", "\(limit)"), ("most_read", mostRead.map { "\($0)" })]
    let headers = try lines("/api/v1/audit", Self.query(filter) + query) { rows += $0 }
    return AuditPage(
      rows: rows, next: headers[PageHeaders.next.lowercased()].flatMap { AuditCursor($0) },
      readThrough: headers[PageHeaders.readThrough.lowercased()].flatMap { Instant(rfc3339: $0) })
  }

  public func top(by key: TopKey, since: Instant, until: Instant?, limit: Int) throws(RequestError) -> TopResult {
    var entries: [TopEntry] = []
    let query = [
      ("by", key.rawValue), ("since", since.rfc3339()), ("until", until?.rfc3339()), ("limit", "\(limit)"),
    ]
    let headers = try lines("/api/v1/top", query) { (replies: [TopReply]) in entries += replies.map(\.entry) }
    return TopResult(
      since: headers[TopHeaders.since.lowercased()].flatMap { Instant(rfc3339: $0) } ?? since,
      until: until ?? Instant(microseconds: .max), entries: entries,
      total: headers[TopHeaders.total.lowercased()].flatMap { Int($0) } ?? 0,
      distinct: headers[TopHeaders.distinct.lowercased()].flatMap { Int($0) } ?? 0)
  }

  public func report(since: Instant, until: Instant) throws(RequestError) -> [UInt8] {
    try send("GET", Self.uri("/api/v1/report", [("since", since.rfc3339()), ("until", until.rfc3339())]))
  }

  public func whatIf(_ question: WhatIf) throws(RequestError) -> WhatIfReply {
    func text(_ span: TimeSpan?) -> String? { span.map { $0 < .zero ? "permanent" : "\($0.seconds)" } }
    return try get(
      Self.uri(
        "/api/v1/what-if",
        [
          ("jail", question.jail), ("maxretry", question.limits.maxretry.map { "\($0)" }),
          ("findtime", text(question.limits.findtime)), ("bantime", text(question.limits.bantime)),
          ("id", question.subnet?.description), ("since", question.since.rfc3339()),
          ("until", question.until.rfc3339()), ("limit", "\(question.limit)"),
        ]))
  }

  private static func query(_ filter: AuditFilter) -> [(String, String?)] {
    [
      ("since", filter.since?.rfc3339()), ("until", filter.until?.rfc3339()), ("ip", filter.identity?.description),
      ("user", filter.user), ("jail", filter.jail), ("pattern", filter.pattern), ("source", filter.source),
      ("text", filter.text),
    ] + filter.kinds.map(\.rawValue).sorted().map { ("kind", $0) }
  }
}
