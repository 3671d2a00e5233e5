import Glibc
import HTTPTypes
import Hummingbird
import HummingbirdCore
import Logging
import Model
import NIOCore

/// Whom the daemon listens to.
struct Admission: Sendable {
  var group: UInt32?
  var groupName: String?

  func check(_ peer: PeerCredentials) throws(ControlError) {
    if peer.uid == 0 || peer.uid == geteuid() { return }
    if let group, peer.isMember(of: group) { return }
    let admitted = groupName.map { "root and members of group \($0)" } ?? "root"
    throw ControlError(
      .notPermitted, "uid \(peer.uid) may not control bailiff; only \(admitted) may",
      remedy: groupName.map { "use sudo, or join the group: usermod -aG \($0) USER" } ?? "use sudo")
  }
}

/// A request with who asks it.
struct ControlContext: RequestContext {
  var coreContext: CoreRequestContextStorage
  /// Set before any route runs.
  var `operator` = Operator(uid: .max, gid: .max, pid: 0, user: "nobody")

  init(source: ApplicationRequestContextSource) { coreContext = .init(source: source) }
}

/// The endpoints, `/v1/…`.
struct ControlRoutes: Sendable {
  var handlers: ControlHandlers
  var admission: Admission

  /// Admits, routes, and turns every error into one line of JSON.
  func responder() -> HTTPChannelHandler.Responder {
    let routes = router().buildResponder()
    let admission = admission
    return { request, writer, channel in
      var response: Response
      do {
        let peer = try await PeerCredentials.of(channel)
        try admission.check(peer)
        var context = ControlContext(source: .init(channel: channel, logger: .silent))
        let session = request.headers[.bailiffSession].flatMap { Address($0) }
        context.operator = peer.named(session: session)
        response = try await routes.respond(to: request, context: context)
      } catch let error as any HTTPResponseError where error.status == .notFound {
        response = .failure(ControlError(.invalid, "no such endpoint"), .notFound)
      } catch let error as any HTTPResponseError where error.status == .contentTooLarge {
        response = .failure(
          ControlError(.invalid, "the request is larger than \(ControlServer.largestRequest) bytes"), .contentTooLarge)
      } catch let error as ControlError {
        response = .failure(error, .init(error.kind))
      } catch {
        response = .failure(ControlError(.failed, "the daemon could not do it"), .internalServerError)
      }
      // A body that nobody read would be taken for the next request.
      response.headers[.connection] = "close"
      try await writer.write(response: response.head, body: response.body)
    }
  }

  private func router() -> Router<ControlContext> {
    let router = Router(context: ControlContext.self)
    let handlers = handlers
    router.get("/v1/status") { _, _ in try await Response.json(handlers.status()) }
    router.get("/v1/bans") { request, _ in
      let jail = request.uri.queryParameters["jail"].map(String.init)
      return try await Response.lines(handlers.bans(BansRequest(jail: jail)))
    }
    router.post("/v1/ban") { request, context in
      try await Response.json(handlers.ban(Self.body(request), context.operator))
    }
    router.post("/v1/unban") { request, context in
      try await Response.json(handlers.unban(Self.body(request), context.operator))
    }
    router.post("/v1/unban-all") { request, context in
      try await Response.json(handlers.unbanAll(Self.body(request), context.operator))
    }
    router.post("/v1/confirm") { request, context in
      try await Response.json(handlers.confirm(Self.body(request), context.operator))
    }
    router.post("/v1/reload") { _, context in try await Response.json(handlers.reload(context.operator)) }
    return router
  }

  private static func body<Body: CheckedRequest>(_ request: Request) async throws -> Body {
    let bytes = try await request.body.collect(upTo: ControlServer.largestRequest)
    let body = try ControlJSON.decode(Body.self, from: bytes.readableBytesView)
    try body.check()
    return body
  }
}

extension Response {
  static func json(_ value: some Encodable) throws -> Response {
    Response(
      status: .ok, headers: [.contentType: "application/json"], body: .init(byteBuffer: try ControlJSON.encode(value)))
  }

  /// An object a line, sent as it is made: a hundred thousand bans are never one text in memory.
  static func lines(_ bans: [BanReply]) -> Response {
    Response(
      status: .ok, headers: [.contentType: "application/x-ndjson"],
      body: .init { writer in
        var chunk = ByteBuffer()
        for ban in bans {
          ban.write(to: &chunk)
          if chunk.readableBytes >= 32 << 10 {
            try await writer.write(chunk)
            chunk.clear()
          }
        }
        if chunk.readableBytes > 0 { try await writer.write(chunk) }
        try await writer.finish(nil)
      })
  }

  static func failure(_ error: ControlError, _ status: HTTPResponse.Status) -> Response {
    var response = (try? Response.json(ErrorReply(error: error))) ?? Response(status: status)
    response.status = status
    return response
  }
}

extension BanReply {
  /// The same JSON as the encoder's, by hand: lists of bans are the only long answers, and the encoder takes ten times as
  /// long for each.
  fileprivate func write(to buffer: inout ByteBuffer) {
    buffer.writeString("{\"applied\":\(applied),\"count\":\(count),\"id\":")
    Self.write(id, to: &buffer)
    buffer.writeString(",\"jail\":")
    Self.write(jail, to: &buffer)
    buffer.writeString(",\"number\":\(number),\"since\":\"\(since.instant.rfc3339())\"")
    if let until { buffer.writeString(",\"until\":\"\(until.instant.rfc3339())\"") }
    buffer.writeString("}\n")
  }

  /// RFC 8259, section 7.
  private static func write(_ text: String, to buffer: inout ByteBuffer) {
    buffer.writeInteger(UInt8(ascii: "\""))
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"):
        buffer.writeInteger(UInt8(ascii: "\\"))
        buffer.writeInteger(byte)
      case 0..<0x20: buffer.writeString("\\u00" + (byte < 16 ? "0" : "") + String(byte, radix: 16))
      default: buffer.writeInteger(byte)
      }
    }
    buffer.writeInteger(UInt8(ascii: "\""))
  }
}

extension HTTPResponse.Status {
  init(_ kind: ControlError.Kind) {
    self =
      switch kind {
      case .invalid: .badRequest
      case .notPermitted: .forbidden
      case .rejected: .conflict
      case .failed, .notRunning: .internalServerError
      case .deadline: .gatewayTimeout
      }
  }
}

extension HTTPField.Name {
  /// Where the client's SSH session comes from.
  static let bailiffSession = HTTPField.Name("Bailiff-Session")!
}
