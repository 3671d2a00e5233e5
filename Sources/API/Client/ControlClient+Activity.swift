public import AuditLog
public import Inspection
public import Model

extension ControlClient {
  /// At most `limit` rows, newest first; with `after` of the filter the oldest first.
  public func activities(_ filter: ActivityFilter, limit: Int) throws(RequestError) -> [ActivityReply] {
    var rows: [ActivityReply] = []
    let query: [(String, String?)] = [
      ("since", filter.since?.rfc3339()), ("until", filter.until?.rfc3339()), ("ip", filter.subnet?.description),
      ("user", filter.user), ("jail", filter.jail), ("limit", "\(limit)"), ("before", filter.before.map { "\($0)" }),
      ("after", filter.after.map { "\($0)" }),
    ]
    try lines("/api/v1/activity", query + filter.events.map(\.rawValue).sorted().map { ("event", $0) }) { rows += $0 }
    return rows
  }

  public func alerts(_ filter: AlertFilter, limit: Int, hasLines: Bool) throws(RequestError) -> [AlertReply] {
    var rows: [AlertReply] = []
    let query: [(String, String?)] = [
      ("since", filter.since?.rfc3339()), ("until", filter.until?.rfc3339()), ("ip", filter.subnet?.description),
      ("user", filter.user), ("limit", "\(limit)"), ("before", filter.before.map { "\($0)" }),
      ("number", filter.number.map { "\($0)" }), ("lines", hasLines ? "true" : nil),
    ]
    try lines("/api/v1/alerts", query + filter.kinds.map(\.rawValue).sorted().map { ("kind", $0) }) { rows += $0 }
    return rows
  }
}
