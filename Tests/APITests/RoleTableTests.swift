import Foundation
import HTTPServing
import Model
import NIOHTTP1
import NIOPosix
import Settings
import Testing

@testable import API

/// Who may what, written down route by route: a route that is not in the table fails, and so does one that lets in somebody else.
@Suite(.timeLimit(.minutes(5))) struct RoleTableTests {
  /// Everybody, or from which role on.
  private enum Needs: String {
    case nobody, look, operate, administer

    func admits(_ role: Role) -> Bool {
      switch self {
      case .nobody, .look: true
      case .operate: role >= .operate
      case .administer: role >= .administer
      }
    }
  }

  private static let table: [String: Needs] = [
    // The API.
    "GET /api/v1/activity": .look, "GET /api/v1/alerts": .look, "GET /api/v1/allowed": .look,
    "POST /api/v1/allow": .operate, "GET /api/v1/audit": .look, "GET /api/v1/audit/checkpoint": .look,
    "GET /api/v1/audit/verify": .look, "POST /api/v1/ban": .operate, "GET /api/v1/bans": .look,
    "GET /api/v1/check": .look, "POST /api/v1/confirm": .operate, "POST /api/v1/disallow": .operate,
    "GET /api/v1/events": .look, "GET /api/v1/explain": .look, "POST /api/v1/failures": .operate,
    "GET /api/v1/filters": .look, "POST /api/v1/filters/detect": .look, "POST /api/v1/filters/test": .look,
    "GET /api/v1/lists": .look, "POST /api/v1/lists/accept": .operate, "GET /api/v1/openapi.json": .look,
    "GET /api/v1/posture": .look, "POST /api/v1/reload": .operate, "POST /api/v1/replay": .look,
    "GET /api/v1/report": .look, "GET /api/v1/reports": .look, "POST /api/v1/reports": .operate,
    "GET /api/v1/reports/{id}": .look, "DELETE /api/v1/reports/{id}": .operate, "GET /api/v1/status": .look,
    "GET /api/v1/tokens": .administer, "POST /api/v1/tokens": .administer,
    "DELETE /api/v1/tokens/{name}": .administer, "GET /api/v1/top": .look, "POST /api/v1/unban": .operate,
    "POST /api/v1/unban-all": .operate, "GET /api/v1/users": .administer, "POST /api/v1/users": .administer,
    "DELETE /api/v1/users/{name}": .administer, "GET /api/v1/what-if": .look, "GET /metrics": .look,
    // Before anybody is logged in.
    "GET /assets/dashboard.css": .nobody, "GET /assets/dashboard.js": .nobody, "GET /login": .nobody,
    "POST /login": .nobody, "POST /logout": .nobody,
    // Pages, and what they send.
    "GET /": .look, "GET /activity": .look, "GET /address": .look, "GET /audit": .look, "GET /bans": .look,
    "GET /jails": .look, "GET /lists": .look, "GET /outputs": .look, "GET /posture": .look, "GET /reports": .look,
    "GET /reports/{id}": .look, "GET /try": .look, "GET /waf": .look, "GET /what-if": .look, "POST /try": .look,
    "POST /bans/ban": .operate, "POST /bans/restore": .operate, "POST /bans/unban": .operate,
    "POST /lists/accept": .operate, "POST /lists/allow": .operate, "POST /lists/disallow": .operate,
    "POST /reports/make": .operate, "POST /reports/remove": .operate,
  ]

  /// The routes as the server has them.
  private static func routes(_ server: TestServer) throws -> [String] {
    let access = try AccessStore(path: server.directory + "/a")
    let remote = RemoteAccess(
      store: access, sessions: SessionTable(), throttle: LoginThrottle(), hosts: HostCheck([]), trustedProxies: [])
    let routes = ControlRoutes(
      handlers: server.handlers(bans: []), context: TestServer.context,
      authenticator: Authenticator(admission: Admission(), remote: remote), access: access,
      workers: NIOThreadPool(numberOfThreads: 1))
    let paths = routes.endpoints.map(\.route) + routes.dashboardRoutes
    return paths.map { "\($0.method.rawValue) /\($0.path.joined(separator: "/"))" }
  }

  @Test func theTableIsComplete() throws {
    let routes = try Self.routes(TestServer())
    #expect(Set(routes).count == routes.count, "a route is there twice")
    #expect(Set(routes).symmetricDifference(Self.table.keys).sorted() == [])
  }

  private final class Remote {
    let server: TestServer
    let port = Int.random(in: 20_000..<32_000)

    init() async throws {
      server = try TestServer()
      try await server.start(remote: APISettings(listen: TCPAddress(host: "127.0.0.1", port: port)))
    }

    /// The status of an answer, asked again where the client was too fast.
    func status(_ route: String, _ options: [String]) async throws -> Int {
      let parts = route.split(separator: " ").map(String.init)
      let path = parts[1].replacing("{name}", with: "nobody").replacing("{id}", with: "none")
      for _ in 0..<20 {
        let result = try await run(
          [
            "curl", "-s", "-o", "/dev/null", "-m", parts[1].hasSuffix("/events") ? "1" : "60", "-w", "%{http_code}",
            "-X", parts[0],
          ]
            + options + ["http://127.0.0.1:\(port)\(path)"])
        let status = Int(result.output) ?? 0
        guard status == 429 else { return status }
        try await Task.sleep(for: .milliseconds(200))
      }
      return 429
    }

    /// A browser's cookies after a login, and the token of the session's forms.
    func session(_ role: Role) async throws -> (jar: String, csrf: String) {
      let name = role.rawValue
      _ = try await server.ask {
        try $0.setUser(UserRequest(name: name, password: "correct horse", role: role, totp: nil))
      }
      let jar = server.directory + "/jar-\(name)"
      let base = "http://127.0.0.1:\(port)"
      _ = try await run(
        ["curl", "-s", "-c", jar, "-d", "name=\(name)", "--data-urlencode", "password=correct horse", "\(base)/login"])
      let page = try await run(["curl", "-s", "-b", jar, "\(base)/outputs"]).output
      let csrf = try #require(page.firstMatch(of: /name="csrf" value="([^"]+)"/), "\(page)")
      return (jar, String(csrf.1))
    }
  }

  private static func isPage(_ route: String) -> Bool { !route.contains("/api/v1/") && !route.contains("/metrics") }

  /// What a route is sent, so that it gets as far as it may.
  private static func body(_ route: String, csrf: String) -> [String] {
    guard !route.hasPrefix("GET ") else { return [] }
    return isPage(route) ? ["-d", "csrf=\(csrf)"] : ["-d", "{}", "-H", "Bailiff-CSRF: \(csrf)"]
  }

  @Test func nobodyIsLetInUnnamed() async throws {
    let remote = try await Remote()
    for (route, needs) in Self.table {
      let status = try await remote.status(route, Self.body(route, csrf: "none"))
      switch needs {
      case .nobody: #expect([200, 303, 401].contains(status), "\(route): \(status)")
      case _ where Self.isPage(route) && route.hasPrefix("GET "): #expect(status == 303, "\(route): \(status)")
      default: #expect(status == 401, "\(route): \(status)")
      }
      // By another name, as a page of somebody else's whose name points here would ask.
      let misdirected = try await remote.status(
        route, Self.body(route, csrf: "none") + ["-H", "Host: evil.example", "-H", "Origin: http://evil.example"])
      guard !route.contains("/assets/"), !route.hasSuffix("/logout") else { continue }
      #expect(misdirected == 421 || misdirected == 401, "\(route): \(misdirected)")
    }
    await remote.server.stop()
  }

  @Test func eachRolesSessionOnEachRoute() async throws {
    let remote = try await Remote()
    for role in Role.allCases {
      let session = try await remote.session(role)
      for (route, needs) in Self.table where route != "POST /logout" && route != "POST /login" {
        let status = try await remote.status(route, ["-b", session.jar] + Self.body(route, csrf: session.csrf))
        if needs.admits(role) {
          #expect(![0, 401, 403, 421, 429].contains(status), "\(route) as \(role): \(status)")
        } else {
          #expect(status == 403, "\(route) as \(role): \(status)")
        }
        // Another site's form has the cookie and not the token.
        guard !route.hasPrefix("GET ") else { continue }
        let forged = try await remote.status(route, ["-b", session.jar] + Self.body(route, csrf: "guessed"))
        #expect(forged == 403, "\(route) as \(role), forged: \(forged)")
      }
    }
    await remote.server.stop()
  }
}
