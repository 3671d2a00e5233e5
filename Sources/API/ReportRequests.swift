internal import Inspection
public import Model

/// Which report is to be made. Times are those of the commands: `7d`, `yesterday`, `2026-11-21`, RFC 3339.
public struct ReportRequest: Hashable, Sendable, Codable {
  /// `7d` unless told.
  public var since: String?
  /// Now unless told.
  public var until: String?

  public init(since: String? = nil, until: String? = nil) { (self.since, self.until) = (since, until) }

  /// - Throws: `RequestError` for what is no time, and for an empty range.
  func range(at now: Instant) throws(RequestError) -> (since: Instant, until: Instant) {
    let start = try PastTime.parse(since ?? "7d", option: "since", now: now)
    let end = try until.map { text throws(RequestError) in try PastTime.parse(text, option: "until", now: now) } ?? now
    guard start < end else {
      throw RequestError(.invalid, "since (\(start.rfc3339())) is not before until (\(end.rfc3339())); swap them")
    }
    guard end.since(start) <= Self.longest else { throw RequestError(.invalid, "that is longer than ten years") }
    return (start, end)
  }

  private static let longest = TimeSpan.hours(10 * 366 * 24)
}

extension ReportRequest: CheckedRequest {
  public func check() throws(RequestError) {
    guard (since ?? "").utf8.count <= 64, (until ?? "").utf8.count <= 64 else {
      throw RequestError(.invalid, "that is no time", remedy: "write 24h, today or 2026-11-21")
    }
  }
}

public struct RemovedReportReply: Hashable, Sendable, Codable {
  public var id: String
}
