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
  /// Who may use it from TCP.
  let access: AccessStore
  /// Where questions to the store are asked: SQLite blocks.
  let workers: NIOThreadPool
  let lately = LatePosture()

  var router: Router { Router(endpoints.map(\.route) + dashboardRoutes) }

  /// Everything that can be asked; the API's description is made of the same table.
  var endpoints: [Endpoint] { described + [description(of: described)] }

  private var described: [Endpoint] {
    daemonEndpoints + listEndpoints + auditEndpoints + activityEndpoints + eventEndpoints + tokenEndpoints
      + userEndpoints + reportEndpoints + whatIfEndpoints + tryEndpoints
  }

  private func description(of others: [Endpoint]) -> Endpoint {
    let about = About("This description, in OpenAPI 3.1.", answers: .openAPI)
    let itself = endpoint(.GET, "/api/v1/openapi.json", about: about) { _, _ in
      HTTPResponse(status: .ok, body: .bytes(.init()))
    }
    let document = OpenAPIDocument(endpoints: others + [itself], version: context.version)
    return endpoint(.GET, "/api/v1/openapi.json", about: about) { _, _ in
      HTTPResponse(
        status: .ok, headers: ["Content-Type": "application/json"],
        body: .bytes(ByteBuffer(bytes: try document.text())))
    }
  }

  private var daemonEndpoints: [Endpoint] {
    let handlers = handlers
    return [
      endpoint(.GET, "/api/v1/status", about: About("How the daemon is.", answers: .json(.init(StatusReply.self)))) {
        _, _ in
        try await .json(handlers.status())
      },
      endpoint(
        .GET, "/api/v1/bans",
        about: About(
          "The bans in force.", query: [.text("jail", "Of this jail alone.")], answers: .lines(.init(BanReply.self)))
      ) { request, _ in
        try await .lines(handlers.bans(BansRequest(jail: request.query("jail"))))
      },
      endpoint(
        .POST, "/api/v1/ban", .operate,
        about: About(
          "Bans an address or a block.", takes: .init(BanRequest.self), answers: .json(.init(BannedReply.self)))
      ) { request, who in
        try await .json(handlers.ban(.decode(request), who))
      },
      // Half a million ids.
      endpoint(
        .POST, "/api/v1/unban", .operate, bodyLimit: 16 << 20,
        about: About("Lifts bans.", takes: .init(UnbanRequest.self), answers: .json(.init(UnbannedReply.self)))
      ) { request, who in
        try await .json(handlers.unban(.decode(request), who))
      },
      endpoint(
        .POST, "/api/v1/unban-all", .operate,
        about: About(
          "Lifts every ban, or every ban of a jail.", takes: .init(UnbanAllRequest.self),
          answers: .json(.init(UnbannedReply.self)))
      ) { request, who in
        try await .json(handlers.unbanAll(.decode(request), who))
      },
      endpoint(
        .POST, "/api/v1/confirm", .operate,
        about: About(
          "Keeps a ban that was made with `confirm`.", takes: .init(ConfirmRequest.self),
          answers: .json(.init(BannedReply.self)))
      ) { request, who in
        try await .json(handlers.confirm(.decode(request), who))
      },
      endpoint(
        .POST, "/api/v1/reload", .operate,
        about: About(
          "Reads the settings again; without a body as they are.", takes: .init(ReloadRequest.self),
          isBodyOptional: true,
          answers: .json(.init(ReloadReply.self)))
      ) { request, who in
        let isAsItIs = request.body.readableBytes == 0
        return try await .json(handlers.reload(isAsItIs ? ReloadRequest() : .decode(request), who))
      },
      endpoint(
        .POST, "/api/v1/failures", .operate,
        about: About(
          "Counts a failure that a program has seen itself.", takes: .init(FailureRequest.self),
          answers: .json(.init(FailureReply.self)))
      ) { request, who in
        try await .json(handlers.reportFailure(.decode(request), who))
      },
      endpoint(.GET, "/metrics", about: About("Figures for Prometheus.", answers: .metrics)) { _, _ in
        try await .metrics(handlers.metrics())
      },
    ]
  }

  /// Answers those who may, and turns every error into one line of JSON.
  func endpoint(
    _ method: HTTPMethod, _ path: String, _ role: Role = .look, bodyLimit: Int = 64 << 10, about: About,
    _ answer: @escaping @Sendable (HTTPRequest, Operator) async throws -> HTTPResponse
  ) -> Endpoint {
    let authenticator = authenticator
    let route = Route(
      method, path, bodyLimit: bodyLimit,
      .waiting { request in
        do {
          return try await answer(request, try authenticator.authenticate(request, needs: role, at: SystemClock.now()))
        } catch {
          return .failure(RequestError(error))
        }
      })
    return Endpoint(route: route, method: method, path: path, role: role, about: about)
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
