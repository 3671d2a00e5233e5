import HTTPServing
import Model
import NIOCore
import NIOHTTP1
import Reporting
import Settings
import System

/// Reports that are made in the background and kept.
extension ControlRoutes {
  var reportEndpoints: [Endpoint] {
    [
      endpoint(
        .GET, "/api/v1/reports",
        about: About("The reports that are kept, newest first.", answers: .lines(.init(ReportReply.self)))
      ) { _, _ in
        let maker = try maker
        return .lines(try await blocking { maker.reports })
      },
      endpoint(
        .POST, "/api/v1/reports", .operate,
        about: About(
          "Makes a report in the background.", takes: .init(ReportRequest.self), answers: .json(.init(ReportReply.self))
        )
      ) { request, who in
        try await .json(make(.decode(request), who))
      },
      endpoint(
        .GET, "/api/v1/reports/{id}",
        about: About(
          "A report: a page, or on paper.",
          query: [.words("format", ReportSettings.Format.allCases.map(\.rawValue), "html unless told.")], answers: .file
        )
      ) { request, _ in
        let word = request.query("format") ?? "html"
        guard let format = ReportSettings.Format(rawValue: word) else {
          throw RequestError(.invalid, "`format` is \(word); it is html or pdf")
        }
        return try await file(request.path.last ?? "", format)
      },
      endpoint(
        .DELETE, "/api/v1/reports/{id}", .operate,
        about: About("Removes a report.", answers: .json(.init(RemovedReportReply.self)))
      ) { request, who in
        let id = request.path.last ?? ""
        try await removeReport(id, who)
        return .json(RemovedReportReply(id: id))
      },
    ]
  }

  var maker: ReportMaker {
    get throws(RequestError) {
      guard let reports = handlers.reports else { throw RequestError(.failed, "no reports are kept here") }
      return reports
    }
  }

  func make(_ request: ReportRequest, _ who: Operator) async throws -> ReportReply {
    let (since, until) = try request.range(at: SystemClock.now())
    let report = try maker.ask(since: since, until: until, by: "\(who)")
    await handlers.note("report make --since \(since.rfc3339()) --until \(until.rfc3339())", who)
    return report
  }

  func removeReport(_ id: String, _ who: Operator) async throws {
    let maker = try maker
    try await blocking { try maker.remove(id) }
    await handlers.note("report remove \(id)", who)
  }

  func file(_ id: String, _ format: ReportSettings.Format) async throws -> HTTPResponse {
    let maker = try maker
    let bytes = try await blocking { try maker.page(id, format) }
    var headers = Self.reportHeaders
    if format == .pdf {
      headers.replaceOrAdd(name: "Content-Type", value: "application/pdf")
      headers.add(name: "Content-Disposition", value: "attachment; filename=\"bailiff-\(id).pdf\"")
    }
    return HTTPResponse(status: .ok, headers: headers, body: .bytes(ByteBuffer(bytes: bytes)))
  }
}
