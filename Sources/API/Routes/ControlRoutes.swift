import HTTPServing
import JSON
import Model
import NIOCore
import NIOHTTP1
import NIOPosix
import System

/// The endpoints, `/api/v1/…`: docs/api.md.
struct ControlRoutes: Sendable {
  var handlers: ControlHandlers
  var context: InspectionContext
  var authenticator: Authenticator
  /// Where questions to the store are asked: SQLite blocks.
  let workers: NIOThreadPool

  var router: Router { Router(daemonRoutes + listRoutes + auditRoutes + eventRoutes) }

  private var daemonRoutes: [Route] {
    let handlers = handlers
    return [
      route(.GET, "/api/v1/status") { _, _ in try await .json(handlers.status()) },
      route(.GET, "/api/v1/bans") { request, _ in
        try await .lines(handlers.bans(BansRequest(jail: request.query("jail"))))
      },
      route(.POST, "/api/v1/ban", .operate) { request, who in try await .json(handlers.ban(.decode(request), who)) },
      // Half a million ids.
      route(.POST, "/api/v1/unban", .operate, bodyLimit: 16 << 20) { request, who in
        try await .json(handlers.unban(.decode(request), who))
      },
      route(.POST, "/api/v1/unban-all", .operate) { request, who in
        try await .json(handlers.unbanAll(.decode(request), who))
      },
      route(.POST, "/api/v1/confirm", .operate) { request, who in
        try await .json(handlers.confirm(.decode(request), who))
      },
      route(.POST, "/api/v1/reload", .operate) { _, who in try await .json(handlers.reload(who)) },
    ]
  }

  /// Answers those who may, and turns every error into one line of JSON.
  func route(
    _ method: HTTPMethod, _ path: String, _ role: Role = .look, bodyLimit: Int = 64 << 10,
    _ answer: @escaping @Sendable (HTTPRequest, Operator) async throws -> HTTPResponse
  ) -> Route {
    let authenticator = authenticator
    return Route(
      method, path, bodyLimit: bodyLimit,
      .waiting { request in
        do {
          return try await answer(request, try authenticator.authenticate(request, needs: role, at: SystemClock.now()))
        } catch {
          return .failure(RequestError(error))
        }
      })
  }

  /// Runs `body` where it may block.
  func blocking<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) async throws -> Result {
    try await workers.runIfActive(body)
  }
}

extension CheckedRequest {
  static func decode(_ request: HTTPRequest) throws(RequestError) -> Self {
    try decode(request.body.readableBytesView)
  }
}

/// The header that says where the client's SSH session comes from.
let bailiffSession = "Bailiff-Session"
