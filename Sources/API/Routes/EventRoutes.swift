import AuditLog
import HTTPServing
import Inspection
import JSON
import Model
import NIOCore
import NIOHTTP1
import System

/// The audit as it grows, as server-sent events (WHATWG HTML, 9.2). An event's id is its position in the audit, so that a
/// browser that comes back says by itself where it was (`Last-Event-ID`), and misses nothing.
extension ControlRoutes {
  var eventEndpoints: [Endpoint] {
    let about = About(
      "What is stored, as it is stored.",
      query: [.text("after", "An event's id, `now` or `beginning`.")] + AuditQuestion.parameters,
      answers: .events(.init(AuditRow.self)))
    return [endpoint(.GET, "/api/v1/events", about: about) { request, _ in try await events(request) }]
  }

  /// How often the store is looked at, and how often a silent stream shows that it lives.
  private static let pause = Duration.milliseconds(500)
  private static let keepAlive = Duration.seconds(15)

  private func events(_ request: HTTPRequest) async throws -> HTTPResponse {
    let filter = try AuditQuestion(request).filter
    let wanted = request.headers.first(name: "Last-Event-ID") ?? request.query("after")
    let context = context
    let (audit, start) = try await blocking {
      let audit = try context.audit()
      return (audit, try EventStart(wanted, audit.reader))
    }
    return HTTPResponse(
      status: .ok,
      headers: [
        "Content-Type": "text/event-stream", "Cache-Control": "no-store",
        // nginx would keep events back until a buffer is full.
        "X-Accel-Buffering": "no",
      ],
      body: .stream(endsWithClient: true) { stream in
        try await stream.write(ByteBuffer(string: start.preamble))
        try await follow(audit, filter, after: start.position, stream) {
          authenticator.stillAdmits(request, at: SystemClock.now())
        }
      })
  }

  /// Returns when the client is not admitted any more; else the client ends it, or the daemon.
  private func follow(
    _ audit: AuditInspection, _ filter: AuditFilter, after start: AuditPosition, _ stream: ResponseStream,
    while isAdmitted: () -> Bool
  ) async throws {
    var position = start
    var silence = Duration.zero
    while isAdmitted() {
      let from = position
      let delivery = try await blocking { try audit.rows(after: from, filter, limit: 500) }
      position = delivery.end
      if !delivery.rows.isEmpty {
        try await stream.write(ByteBuffer(bytes: delivery.rows.flatMap(Self.event)))
        silence = .zero
      }
      guard !delivery.hasMore else { continue }
      try await Task.sleep(for: Self.pause)
      silence += Self.pause
      guard silence >= Self.keepAlive else { continue }
      try await stream.write(ByteBuffer(string: ": still here\n\n"))
      silence = .zero
    }
  }

  /// `event:` is the row's kind; JSON has no line end inside, which would end the data.
  private static func event(_ row: AuditRow) -> [UInt8] {
    let id = row.position.map { "id: \($0)\n" } ?? ""
    return Array("\(id)event: \(row.kind.rawValue)\ndata: ".utf8) + JSONOutput.line(of: row) + Array("\n\n".utf8)
  }
}

/// Where a stream of events begins.
private struct EventStart: Sendable {
  var position: AuditPosition
  /// What is sent first, so that the client sees at once that it is connected.
  var preamble = "retry: 2000\n\n"

  /// A position of a store that was replaced is no error, which a browser would take for the end: the stream begins with what
  /// is new, and says so.
  /// - Throws: `RequestError` for a text that is no position.
  init(_ wanted: String?, _ reader: AuditReader) throws {
    switch wanted {
    case nil, "now": position = try reader.end()
    case "beginning": position = try reader.beginning()
    case let text?:
      guard let known = AuditPosition(text) else {
        throw RequestError(
          .invalid, "`\(text)` is no position in the audit", remedy: "write an event's id, `now` or `beginning`")
      }
      do {
        _ = try reader.rows(after: known, AuditFilter(), limit: 1)
        position = known
      } catch let error as StoreError where error.kind == .usage {
        position = try reader.end()
        preamble += "event: reset\ndata: {\"reason\":\"the store was replaced\"}\n\n"
      }
    }
  }
}
