import Foundation
import Model
import NIOHTTP1
import NIOPosix
import Settings
import Synchronization
import Testing

@testable import API
@testable import HTTPServing

/// The API on TCP: what each role may, and who is not let in.
@Suite(.timeLimit(.minutes(5))) struct TokenTests {
  private final class Remote {
    let server: TestServer
    let port: Int

    init(hosts: [String] = []) async throws {
      server = try TestServer()
      port = Int.random(in: 20_000..<32_000)
      var settings = APISettings(listen: TCPAddress(host: "127.0.0.1", port: port))
      settings.hosts = hosts
      try await server.start(remote: settings)
    }

    func token(_ role: Role) async throws -> String {
      let request = TokenRequest(name: "t-\(role.rawValue)", role: role)
      return try await server.ask { try $0.addToken(request) }.token
    }

    func ask(_ method: String, _ path: String, token: String?, _ more: [String] = []) async throws -> (
      status: String, body: String
    ) {
      let header = token.map { ["-H", "Authorization: Bearer \($0)"] } ?? []
      let result = try await run(
        ["curl", "-sS", "-m", "100", "-w", "\n%{http_code}", "-X", method] + header + more
          + ["http://127.0.0.1:\(port)\(path)"])
      let lines = result.output.split(separator: "\n", omittingEmptySubsequences: false)
      return (lines.last.map(String.init) ?? "", lines.dropLast().joined(separator: "\n"))
    }
  }

  private final class Seconds: Sendable {
    private let seconds = Mutex(0.0)
    var now: Double {
      get { seconds.withLock { $0 } }
      set { seconds.withLock { $0 = newValue } }
    }
  }

  /// The table that requests are answered from.
  private static func endpoints() throws -> [Endpoint] {
    let server = try TestServer()
    let routes = ControlRoutes(
      handlers: server.handlers(bans: []), context: TestServer.context,
      authenticator: Authenticator(admission: Admission()), access: try AccessStore(path: server.directory + "/a"),
      workers: NIOThreadPool(numberOfThreads: 1))
    return routes.endpoints
  }

  /// Each role on each route: who may not is told so, who may gets the handler's own answer, and nobody gets in without a token.
  @Test func eachRoleOnEachRoute() async throws {
    let remote = try await Remote()
    var tokens: [Role: String] = [:]
    for role in Role.allCases { tokens[role] = try await remote.token(role) }
    let endpoints = try Self.endpoints()
    #expect(endpoints.count > 20)
    var table: [String] = []
    for endpoint in endpoints {
      // Revoking would take a token away that is still needed.
      let path = endpoint.path.replacing("{name}", with: "nobody")
      let method = endpoint.method.rawValue
      let more = endpoint.about.takes == nil ? [] : ["-d", "{}"]
      let nobody = try await remote.ask(method, path, token: nil, more)
      #expect(nobody.status == "401", "\(method) \(path) without a token: \(nobody)")
      var row = "\(method) \(endpoint.path):"
      for role in Role.allCases {
        // Events never end.
        let isEndless = endpoint.path.hasSuffix("/events") && role >= endpoint.role
        let limit = isEndless ? ["-m", "2"] : []
        let status = try await remote.ask(method, path, token: tokens[role], more + limit).status
        let isRefused = status == "403" || status == "401"
        #expect(isRefused == (role < endpoint.role), "\(method) \(path) as \(role): \(status)")
        row += " \(role) \(status)"
      }
      table.append(row)
    }
    print(table.joined(separator: "\n"))
    // What changes something takes more than looking, and tokens take an administrator.
    for endpoint in endpoints {
      // What is tried is too long for a query.
      let isTrial = ["/api/v1/filters/test", "/api/v1/filters/detect", "/api/v1/replay"].contains(endpoint.path)
      #expect(endpoint.method == .GET || isTrial || endpoint.role >= .operate, "\(endpoint.path)")
      #expect(endpoint.role == .administer || !endpoint.path.contains("/tokens"), "\(endpoint.path)")
    }
    await remote.server.stop()
  }

  @Test func aTokenEndsWhenItIsRevoked() async throws {
    let remote = try await Remote()
    let token = try await remote.token(.operate)
    #expect(token.hasPrefix("bailiff_") && token.utf8.count > 40)
    let first = try await remote.ask("POST", "/api/v1/reload", token: token)
    #expect(first.status == "200")
    let who = try #require(remote.server.operators.withLock { $0.last })
    #expect("\(who)" == "token t-operate from 127.0.0.1" && who.uid == nil)
    let file = remote.server.directory + "/access.json"
    let kept = try String(contentsOfFile: file, encoding: .utf8)
    #expect(!kept.contains(token) && !kept.contains(token.dropFirst("bailiff_".count)), "only its hash is kept")
    let mode = try FileManager.default.attributesOfItem(atPath: file)[.posixPermissions] as? Int
    #expect(mode == 0o600)
    let listed = try await remote.ask("GET", "/api/v1/tokens", token: token)
    #expect(listed.status == "403")
    _ = try await remote.server.ask { try $0.revokeToken("t-operate") }
    #expect(try await remote.ask("POST", "/api/v1/reload", token: token).status == "401")
    await #expect(throws: RequestError.self) { _ = try await remote.server.ask { try $0.revokeToken("t-operate") } }
    await remote.server.stop()
  }

  @Test func aTokenEndsWithItsTime() throws {
    let directory = try TestServer().directory
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: directory) }
    let path = directory + "/access.json"
    let store = try AccessStore(path: path)
    let now = Instant(rfc3339: "2026-11-28T12:00:00Z")!
    let token = try store.addToken("ci", .look, expires: now.adding(.hours(1)), at: now)
    #expect(store.identity(token: token, at: now)?.role == .look)
    #expect(store.identity(token: token, at: now.adding(.hours(1))) == nil)
    #expect(store.identity(token: token + "x", at: now) == nil)
    // Another start knows it, and when it was used.
    store.flush(at: now)
    let again = try AccessStore(path: path)
    #expect(again.identity(token: token, at: now)?.name == "ci" && again.file.tokens[0].lastUsed == now)
    #expect(throws: RequestError.self) { try again.addToken("ci", .look, expires: nil, at: now) }
    #expect(throws: RequestError.self) { try again.addToken("a b", .look, expires: nil, at: now) }
  }

  /// A page of somebody else's whose name points here (DNS rebinding).
  @Test func aForeignNameIsRefused() async throws {
    let remote = try await Remote(hosts: ["bailiff.example.org"])
    let token = try await remote.token(.look)
    func status(_ host: String) async throws -> String {
      try await remote.ask("GET", "/api/v1/status", token: token, ["-H", "Host: \(host)"]).status
    }
    for host in ["evil.example.com", "evil.example.com:8787", "bailiff.example.org.evil.example.com"] {
      #expect(try await status(host) == "421", "\(host)")
    }
    for host in ["bailiff.example.org", "LOCALHOST:1", "[::1]:8787"] {
      #expect(try await status(host) == "200", "\(host)")
    }
    await remote.server.stop()
  }

  @Test func whoGuessesIsSlowedDown() throws {
    let server = try TestServer()
    let now = Instant(rfc3339: "2026-11-28T12:00:00Z")!
    let store = try AccessStore(path: server.directory + "/access.json")
    let token = try store.addToken("ci", .look, expires: nil, at: now)
    let failed = Mutex(0)
    let clock = Seconds()
    let access = RemoteAccess(
      store: store, sessions: SessionTable(), throttle: LoginThrottle(clock: { clock.now }),
      loginFailed: { _ in failed.withLock { $0 += 1 } }, hosts: HostCheck([]), trustedProxies: [])
    let authenticator = Authenticator(admission: Admission(), remote: access)
    func ask(_ token: String, from address: String, after seconds: Int64) throws -> RequestError.Kind? {
      let head = HTTPRequestHead(
        version: .http1_1, method: .GET, uri: "/api/v1/status",
        headers: ["Host": "localhost", "Authorization": "Bearer \(token)"])
      let request = try HTTPRequest(head, peer: .remote(Address(address)!))
      clock.now = Double(seconds)
      do throws(RequestError) {
        // The machine's clock is of no use to who waits.
        _ = try authenticator.authenticate(request, needs: .look, at: now.adding(.hours(1)))
        return nil
      } catch { return error.kind }
    }
    for number in 0..<5 {
      #expect(try ask("bailiff_wrong\(number)", from: "192.0.2.7", after: 0) == .unauthenticated)
    }
    #expect(failed.withLock { $0 } == 5)
    // Whoever comes from there waits, too: it may be the same one. Others do not.
    #expect(try ask(token, from: "192.0.2.7", after: 0) == .tooMany)
    #expect(try ask(token, from: "192.0.2.8", after: 0) == nil)
    // A second, then two, then four.
    #expect(try ask("bailiff_wrong", from: "192.0.2.7", after: 1) == .unauthenticated)
    #expect(try ask(token, from: "192.0.2.7", after: 2) == .tooMany)
    #expect(try ask(token, from: "192.0.2.7", after: 3) == nil)
  }

  @Test func attemptsAtOnceCountAtOnce() {
    let throttle = LoginThrottle(clock: { 0 })
    let address = Address("203.0.113.7")
    for _ in 0..<5 { #expect(throttle.begin(address, "alice") == 0) }
    #expect(throttle.begin(address, "alice") == 1)
    #expect(throttle.begin(Address("203.0.113.8"), "alice") == 1, "the name waits everywhere")
    throttle.succeeded(address, "alice")
    #expect(throttle.begin(address, "alice") == 0)
  }

  @Test func oneClientHasItsShare() {
    let rate = RequestRate()
    let (one, other) = (Address("192.0.2.7")!, Address("192.0.2.8")!)
    #expect((0..<100).allSatisfy { _ in rate.admits(one, at: 10) } && !rate.admits(one, at: 10))
    #expect(rate.admits(other, at: 10))
    #expect(rate.admits(one, at: 10.1) && !rate.admits(one, at: 9))
    // A network of IPv6 is one client.
    #expect((0..<100).allSatisfy { rate.admits(Address("2001:db8::\($0)")!, at: 10) })
    #expect(!rate.admits(Address("2001:db8::ffff")!, at: 10) && rate.admits(Address("2001:db8:0:1::1")!, at: 10))
  }
}
