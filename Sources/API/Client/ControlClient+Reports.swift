public import Model
public import Reporting
public import Settings

extension ControlClient {
  /// Newest first.
  public func reports() throws(RequestError) -> [ReportReply] {
    var replies: [ReportReply] = []
    try lines("/api/v1/reports", []) { (part: [ReportReply]) in replies += part }
    return replies
  }

  public func makeReport(_ request: ReportRequest) throws(RequestError) -> ReportReply {
    try post("/api/v1/reports", request)
  }

  /// The whole file.
  public func report(_ id: String, _ format: ReportSettings.Format) throws(RequestError) -> [UInt8] {
    try send("GET", Self.uri("/api/v1/reports/\(Self.percentEncoded(id))", [("format", format.rawValue)]))
  }

  public func removeReport(_ id: String) throws(RequestError) -> RemovedReportReply {
    try decode(send("DELETE", "/api/v1/reports/\(Self.percentEncoded(id))"))
  }
}
