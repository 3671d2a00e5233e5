import AuditLog
import HTTPServing
import Inspection
import Model
import NIOHTTP1
import Settings
import System

/// `since` and `until` of a request.
struct TimeRange: Sendable {
  var since: Instant
  var until: Instant

  static let parameters: [About.Parameter] = [
    .text("since", "From then on: 24h, today, 2026-11-21, RFC 3339."), .text("until", "Until then."),
  ]

  init(_ request: HTTPRequest, since usual: String, now: Instant) throws(RequestError) {
    since = try PastTime.parse(request.query("since") ?? usual, option: "since", now: now)
    until = try request.time("until", now: now) ?? now
    guard since < until else {
      throw RequestError(.invalid, "since (\(since.rfc3339())) is not before until (\(until.rfc3339())); swap them")
    }
  }
}

struct ExplainQuestion: Sendable {
  var identity: Identity
  var bans: Int

  init(_ request: HTTPRequest) throws(RequestError) {
    guard let id = request.query("id"), !id.isEmpty, id.utf8.count <= 512 else {
      throw RequestError(.invalid, "`id` is missing; give an address, a block or a name")
    }
    identity = Identity(id)
    bans = try request.number("bans", in: 1...1000) ?? 3
  }
}

struct TopQuestion: Sendable {
  var key: TopKey
  var since: Instant
  var until: Instant
  var limit: Int

  init(_ request: HTTPRequest) throws(RequestError) {
    let by = request.query("by") ?? "ip"
    guard let key = TopKey(rawValue: by) else {
      let keys = TopKey.allCases.map(\.rawValue).joined(separator: ", ")
      throw RequestError(.invalid, "`by` is \(by); it is one of \(keys)")
    }
    self.key = key
    let range = try TimeRange(request, since: "24h", now: SystemClock.now())
    since = range.since
    until = request.query("until") == nil ? Instant(microseconds: .max) : range.until
    limit = try request.number("limit", in: 1...100_000) ?? 20
  }
}

struct AuditQuestion: Sendable {
  var filter = AuditFilter()
  /// Nil: all rows.
  var limit: Int?
  var before: AuditCursor?
  /// A text is in no index: so many rows are looked through for a page.
  var mostRead: Int

  static let parameters: [About.Parameter] =
    TimeRange.parameters + [
      .text("ip", "An address, or a block."), .text("user", "Whom it was tried as."), .text("jail", "Of this jail."),
      .text("pattern", "Found by this pattern."), .text("source", "From this log."),
      .text("text", "With this text in the line."),
      .words("kind", AuditRow.Kind.allCases.map(\.rawValue), "What kind of row.", isRepeated: true),
    ]

  init(_ request: HTTPRequest) throws(RequestError) {
    let now = SystemClock.now()
    filter.since = try request.time("since", now: now)
    filter.until = try request.time("until", now: now)
    filter.identity = try request.subnet("ip").map { .network($0) }
    filter.user = request.query("user")
    filter.jail = request.query("jail")
    filter.pattern = request.query("pattern")
    filter.source = request.query("source")
    filter.text = request.query("text")
    filter.kinds = try request.words("kind")
    before = try request.query("before").map { text throws(RequestError) in
      guard let cursor = AuditCursor(text) else {
        throw RequestError(.invalid, "`before` is no cursor; take it from the page before")
      }
      return cursor
    }
    limit = try request.number("limit", in: 1...4096)
    mostRead = try request.number("most_read", in: 1...10_000_000) ?? .max
  }
}

extension HTTPRequest {
  func time(_ name: String, now: Instant) throws(RequestError) -> Instant? {
    guard let text = query(name) else { return nil }
    return try PastTime.parse(text, option: name, now: now)
  }

  /// A whole number among the query's parameters.
  func number(_ name: String, in range: ClosedRange<Int>) throws(RequestError) -> Int? {
    guard let text = query(name) else { return nil }
    guard let number = Int(text), range.contains(number) else {
      throw RequestError(
        .invalid, "`\(name)` is `\(text)`; it is a number from \(range.lowerBound) to \(range.upperBound)")
    }
    return number
  }

  func subnet(_ name: String) throws(RequestError) -> Subnet? {
    guard let text = query(name) else { return nil }
    guard let subnet = Subnet(text) else {
      throw RequestError(
        .invalid, "`\(name)` is `\(text)`, no address or block; write 192.0.2.7, 192.0.2.0/24 or 2001:db8::/32")
    }
    return subnet
  }

  /// A parameter that may be repeated.
  func words<Word: RawRepresentable<String> & CaseIterable & Hashable>(
    _ name: String
  ) throws(RequestError) -> Set<Word> {
    var found: Set<Word> = []
    for pair in query where pair.name == name {
      guard let word = Word(rawValue: pair.value) else {
        let words = Word.allCases.map(\.rawValue).joined(separator: ", ")
        throw RequestError(.invalid, "`\(name)` is \(pair.value); it is one of \(words)")
      }
      found.insert(word)
    }
    return found
  }
}

/// What a page of rows does not say itself.
enum PageHeaders {
  static let next = "Bailiff-Next"
  static let readThrough = "Bailiff-Read-Through"

  static func make(_ page: AuditPage) -> HTTPHeaders {
    var headers = HTTPHeaders()
    if let next = page.next { headers.add(name: Self.next, value: "\(next)") }
    if let through = page.readThrough { headers.add(name: readThrough, value: through.rfc3339()) }
    return headers
  }
}

/// What the entries of `top` do not say themselves.
enum TopHeaders {
  static let since = "Bailiff-Since"
  static let total = "Bailiff-Total"
  static let distinct = "Bailiff-Distinct"

  static func make(_ result: TopResult) -> HTTPHeaders {
    [since: result.since.rfc3339(), total: "\(result.total)", distinct: "\(result.distinct)"]
  }
}
