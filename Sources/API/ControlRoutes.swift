import Glibc
import Model
import NIOCore
import NIOHTTP1

/// Whom the daemon listens to on its Unix socket.
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

/// The endpoints, `/v1/…`.
struct ControlRoutes: Sendable {
  var handlers: ControlHandlers
  var admission: Admission

  var router: Router {
    let handlers = handlers
    return Router([
      route(.GET, "/v1/status") { _, _ in try await .json(handlers.status()) },
      route(.GET, "/v1/bans") { request, _ in
        try await .lines(handlers.bans(BansRequest(jail: request.query("jail"))))
      },
      route(.POST, "/v1/ban") { request, who in try await .json(handlers.ban(body(request), who)) },
      route(.POST, "/v1/unban") { request, who in try await .json(handlers.unban(body(request), who)) },
      route(.POST, "/v1/unban-all") { request, who in try await .json(handlers.unbanAll(body(request), who)) },
      route(.POST, "/v1/confirm") { request, who in try await .json(handlers.confirm(body(request), who)) },
      route(.POST, "/v1/reload") { _, who in try await .json(handlers.reload(who)) },
    ])
  }

  /// Admits, answers, and turns every error into one line of JSON.
  private func route(
    _ method: HTTPMethod, _ path: String,
    _ answer: @escaping @Sendable (HTTPRequest, Operator) async throws -> HTTPResponse
  ) -> Route {
    let admission = admission
    return Route(
      method, path,
      .waiting { request in
        do {
          guard case .local(let peer?) = request.peer else {
            throw ControlError(.notPermitted, "the kernel does not say who is connected")
          }
          try admission.check(peer)
          let session = request.headers.first(name: bailiffSession).flatMap { Address($0) }
          return try await answer(request, peer.named(session: session))
        } catch let error as ControlError {
          return .failure(error, HTTPResponseStatus(error.kind))
        } catch {
          return .failure(ControlError(.failed, "the daemon could not do it"), .internalServerError)
        }
      })
  }
}

private func body<Body: CheckedRequest>(_ request: HTTPRequest) throws -> Body {
  let body = try ControlJSON.decode(Body.self, from: request.body.readableBytesView)
  try body.check()
  return body
}

extension HTTPResponse {
  static func json(_ value: some Encodable, _ status: HTTPResponseStatus = .ok) throws -> HTTPResponse {
    HTTPResponse(
      status: status, headers: ["Content-Type": "application/json"], body: .bytes(try ControlJSON.encode(value)))
  }

  /// An object a line, sent as it is made: a hundred thousand bans are never one text in memory.
  static func lines(_ bans: [BanReply]) -> HTTPResponse {
    HTTPResponse(
      status: .ok, headers: ["Content-Type": "application/x-ndjson"],
      body: .stream { stream in
        var chunk = ByteBuffer()
        for ban in bans {
          ban.write(to: &chunk)
          if chunk.readableBytes >= 32 << 10 {
            try await stream.write(chunk)
            chunk.clear()
          }
        }
        if chunk.readableBytes > 0 { try await stream.write(chunk) }
      })
  }

  static func failure(_ error: ControlError, _ status: HTTPResponseStatus) -> HTTPResponse {
    (try? .json(ErrorReply(error: error), status)) ?? HTTPResponse(status: status, body: .bytes(ByteBuffer()))
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

extension HTTPResponseStatus {
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

extension HTTPFailures {
  /// The same shape as every other error's.
  static let control = HTTPFailures(
    badRequest: .failure(ControlError(.invalid, "this is no HTTP request"), .badRequest),
    notFound: .failure(ControlError(.invalid, "no such endpoint"), .notFound),
    timeout: .failure(ControlError(.deadline, "the request took too long to arrive"), .requestTimeout),
    full: .failure(ControlError(.failed, "too many connections", remedy: "try again later"), .serviceUnavailable),
    tooLarge: { limit in
      .failure(ControlError(.invalid, "the request is larger than \(limit) bytes"), .payloadTooLarge)
    },
    notAllowed: { methods in
      let allowed = methods.map(\.rawValue).joined(separator: ", ")
      var response = HTTPResponse.failure(
        ControlError(.invalid, "this endpoint does not have this method; it has \(allowed)"), .methodNotAllowed)
      response.headers.add(name: "Allow", value: allowed)
      return response
    })
}

/// The header that says where the client's SSH session comes from.
let bailiffSession = "Bailiff-Session"
