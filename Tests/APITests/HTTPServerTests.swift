import Foundation
import HTTPServing
import NIOCore
import NIOHTTP1
import Synchronization
import Testing

@testable import API

/// The server below the API: what HTTP promises its clients, and what a client cannot take from others.
@Suite(.timeLimit(.minutes(2))) struct HTTPServerTests {
  private final class Server: Sendable {
    let path = NSTemporaryDirectory() + "/bailiff-http-\(UUID().uuidString.prefix(8))"
    let http: HTTPServer

    init(_ routes: [Route], limits: HTTPLimits = HTTPLimits()) async throws {
      http = HTTPServer(Router(routes), failures: .control, limits: limits)
      try await http.listen(unixSocket: path)
    }

    func exchange(_ text: String) async throws -> String { try await RawConnection(path).exchange(Array(text.utf8)) }

    func stop() async {
      await http.stop()
      try? FileManager.default.removeItem(atPath: path)
    }
  }

  private static let routes = [
    Route(.GET, "/text", .immediate { _ in HTTPResponse(status: .ok, body: .bytes(ByteBuffer(string: "text"))) }),
    Route(
      .GET, "/bans/{id}/x",
      .waiting { HTTPResponse(status: .ok, body: .bytes(ByteBuffer(string: $0.path[1] + ($0.query("q") ?? "-")))) }),
    Route(
      .POST, "/count", bodyLimit: 1000,
      .waiting { HTTPResponse(status: .ok, body: .bytes(ByteBuffer(string: "\($0.body.readableBytes)"))) }),
    Route(
      .GET, "/stream",
      .waiting { _ in
        HTTPResponse(
          status: .ok,
          body: .stream { stream in
            for n in 0..<3 { try await stream.write(ByteBuffer(string: "\(n)")) }
          })
      }),
    Route(
      .GET, "/broken",
      .waiting { _ in
        HTTPResponse(
          status: .ok,
          body: .stream { stream in
            try await stream.write(ByteBuffer(string: "half"))
            throw CancellationError()
          })
      }),
  ]

  @Test func connectionsAreKeptUntilTheClientSaysClose() async throws {
    let server = try await Server(Self.routes)
    let twice = try await server.exchange(
      "GET /text HTTP/1.1\r\nHost: b\r\n\r\nGET /text HTTP/1.1\r\nHost: b\r\nConnection: close\r\n\r\nGET /text HTTP/1.1\r\nHost: b\r\n\r\n"
    )
    #expect(twice.components(separatedBy: "200 OK").count == 3, "\(twice)")
    #expect(twice.components(separatedBy: "Connection: close").count == 2, "\(twice)")
    let old = try await server.exchange("GET /text HTTP/1.0\r\n\r\n")
    #expect(old.hasPrefix("HTTP/1.0 200") && old.hasSuffix("text"), "\(old)")
    await server.stop()
  }

  @Test func pathsAndQueriesAreDecoded() async throws {
    let server = try await Server(Self.routes)
    let answer = try await server.exchange(
      "GET /bans/2001%3Adb8%3A%3A%2F64/x?q=a+b%26c&q=2 HTTP/1.1\r\nHost: b\r\nConnection: close\r\n\r\n")
    #expect(answer.hasSuffix("\r\n\r\n2001:db8::/64a b&c"), "\(answer)")
    let absolute = try await server.exchange("GET http://b/text?x HTTP/1.1\r\nHost: b\r\nConnection: close\r\n\r\n")
    #expect(absolute.hasSuffix("text"))
    for bad in ["/%", "/%4", "/%zz", "/%00", "/%ff", "/%+1", "*", "text"] {
      let answer = try await server.exchange("GET \(bad) HTTP/1.1\r\nHost: b\r\n\r\n")
      #expect(answer.hasPrefix("HTTP/1.1 400"), "\(bad): \(answer)")
    }
    await server.stop()
  }

  @Test func headIsGetWithoutItsBody() async throws {
    let server = try await Server(Self.routes)
    let head = try await server.exchange("HEAD /text HTTP/1.1\r\nHost: b\r\nConnection: close\r\n\r\n")
    #expect(head.hasPrefix("HTTP/1.1 200") && head.contains("Content-Length: 4"), "\(head)")
    #expect(head.hasSuffix("\r\n\r\n"))
    let stream = try await server.exchange("HEAD /stream HTTP/1.1\r\nHost: b\r\n\r\n")
    #expect(stream.contains(" 200 ") && stream.hasSuffix("\r\n\r\n"), "\(stream)")
    await server.stop()
  }

  @Test func aMethodThatIsNotThereIsToldWhichAre() async throws {
    let server = try await Server(Self.routes)
    let answer = try await server.exchange("DELETE /text HTTP/1.1\r\nHost: b\r\nConnection: close\r\n\r\n")
    #expect(answer.hasPrefix("HTTP/1.1 405"))
    #expect(answer.contains("\r\nAllow: GET, HEAD\r\n"), "\(answer)")
    #expect(answer.contains("\"kind\":\"invalid\""))
    await server.stop()
  }

  @Test func streamsComeInChunksAndABrokenOneIsSeen() async throws {
    let server = try await Server(Self.routes)
    let whole = try await server.exchange("GET /stream HTTP/1.1\r\nHost: b\r\nConnection: close\r\n\r\n")
    #expect(whole.hasSuffix("\r\n\r\n1\r\n0\r\n1\r\n1\r\n1\r\n2\r\n0\r\n\r\n"), "\(whole)")
    let old = try await server.exchange("GET /stream HTTP/1.0\r\n\r\n")
    #expect(old.hasSuffix("\r\n\r\n012"), "\(old)")
    let broken = try await server.exchange("GET /broken HTTP/1.1\r\nHost: b\r\n\r\n")
    #expect(broken.contains("half") && !broken.hasSuffix("0\r\n\r\n"), "\(broken)")
    await server.stop()
  }

  /// The client sees why, not a reset, although it is still sending.
  @Test func aRequestIsRefusedBeforeItsEnd() async throws {
    let server = try await Server(Self.routes)
    let body = String(repeating: "x", count: 1 << 20)
    let long = try await server.exchange(
      "POST /count HTTP/1.1\r\nHost: b\r\nContent-Length: \(body.utf8.count)\r\n\r\n" + body)
    #expect(long.hasPrefix("HTTP/1.1 413") && long.contains("larger than 1000 bytes"), "\(long)")
    #expect(long.contains("Connection: close"))
    let chunk = "3e8\r\n" + String(repeating: "y", count: 1000) + "\r\n"
    let chunked = try await server.exchange(
      "POST /count HTTP/1.1\r\nHost: b\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk + chunk + "0\r\n\r\n")
    #expect(chunked.hasPrefix("HTTP/1.1 413"), "\(chunked)")
    let fits = try await server.exchange(
      "POST /count HTTP/1.1\r\nHost: b\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n" + chunk + "0\r\n\r\n"
    )
    #expect(fits.hasSuffix("1000"), "\(fits)")
    let nowhere = try await server.exchange(
      "POST /nowhere HTTP/1.1\r\nHost: b\r\nContent-Length: \(body.utf8.count)\r\n\r\n" + body)
    #expect(nowhere.hasPrefix("HTTP/1.1 404"), "\(nowhere)")
    // RFC 9457.
    #expect(nowhere.contains("Content-Type: application/problem+json"), "\(nowhere)")
    #expect(nowhere.contains(#""title":"Not Found","status":404,"detail":"no such endpoint""#), "\(nowhere)")
    await server.stop()
  }

  @Test func whoWaitsForContinueIsTold() async throws {
    let server = try await Server(Self.routes)
    let head = "Host: b\r\nConnection: close\r\nExpect: 100-continue\r\n"
    let goOn = try await server.exchange("POST /count HTTP/1.1\r\n\(head)Content-Length: 2\r\n\r\nab")
    #expect(goOn.hasPrefix("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200") && goOn.hasSuffix("2"), "\(goOn)")
    let no = try await server.exchange("POST /count HTTP/1.1\r\n\(head)Content-Length: 2000\r\n\r\n")
    #expect(no.hasPrefix("HTTP/1.1 413"), "\(no)")
    await server.stop()
  }

  /// What a proxy and the server could understand differently (RFC 9112, 11.2).
  @Test(arguments: [
    "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "Content-Length: 4\r\nContent-Length: 5\r\n\r\nabcd",
    "Content-Length: +4\r\n\r\nabcd", "Content-Length: 4, 4\r\n\r\nabcd", "Content-Length: 0x4\r\n\r\nabcd",
    "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "Content-Length : 4\r\n\r\nabcd", " Content-Length: 4\r\n\r\nabcd", "X: a\r\n\tContent-Length: 4\r\n\r\nabcd",
    "Transfer-Encoding: chunked\r\n\r\n-1\r\nabcd\r\n0\r\n\r\n",
    "Transfer-Encoding: chunked\r\n\r\n4;\n\r\nabcd\r\n0\r\n\r\n",
    "X\u{0}: a\r\n\r\n", "X: a\u{0}b\r\n\r\n",
  ])
  func ambiguousRequestsAreRefused(_ rest: String) async throws {
    let server = try await Server(Self.routes)
    let answer = try await server.exchange(
      "POST /count HTTP/1.1\r\nHost: b\r\n\(rest)GET /text HTTP/1.1\r\nHost: b\r\n\r\n")
    #expect(!answer.contains("text"), "a second request came through: \(answer)")
    #expect(!answer.contains(" 200 "), "\(answer)")
    await server.stop()
  }

  @Test func whoSendsSlowlyIsEnded() async throws {
    var limits = HTTPLimits()
    limits.idle = .milliseconds(1)
    limits.receive = .milliseconds(1)
    let server = try await Server(Self.routes, limits: limits)
    let (path, half) = (server.path, "POST /count HTTP/1.1\r\nHost: b\r\nContent-Length: 2\r\n\r\na")
    // Neither says that it has no more to send.
    async let silent = blocking { try RawConnection(path).readAfter("GET /te") }
    async let stuck = blocking { try RawConnection(path).readAfter(half) }
    #expect(try await silent == "")
    #expect(try await stuck.hasPrefix("HTTP/1.1 408"))
    await server.stop()
  }

  @Test func whoFindsNoRoomIsTold() async throws {
    var limits = HTTPLimits()
    limits.connections = 1
    let server = try await Server(Self.routes, limits: limits)
    let path = server.path
    let first = try RawConnection(path)
    #expect(try await server.exchange("GET /text HTTP/1.1\r\nHost: b\r\n\r\n").hasPrefix("HTTP/1.1 503"))
    #expect(try await first.exchange(Array("GET /text HTTP/1.1\r\nHost: b\r\n\r\n".utf8)).hasPrefix("HTTP/1.1 200"))
    await server.stop()
  }
}

/// What clients on TCP cannot take from commands on the Unix socket.
@Suite(.timeLimit(.minutes(2))) struct ConnectionRoomTests {
  @Test func clientsOnTCPDoNotShutCommandsOut() async throws {
    let path = NSTemporaryDirectory() + "/bailiff-room-\(UUID().uuidString.prefix(8))"
    defer { try? FileManager.default.removeItem(atPath: path) }
    var limits = HTTPLimits()
    (limits.connections, limits.connectionsOfOne) = (12, 8)
    let route = Route(
      .GET, "/text", .immediate { _ in HTTPResponse(status: .ok, body: .bytes(ByteBuffer(string: "text"))) })
    let server = HTTPServer(Router([route]), failures: .control, limits: limits)
    try await server.listen(unixSocket: path)
    let port = try #require(try await server.listen(host: "127.0.0.1", port: 0)?.port)
    func ask(from client: String) async throws -> String {
      try await run(
        ["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "--interface", client, "http://127.0.0.1:\(port)/text"]
      ).output
    }
    // Connections that say nothing, from one address.
    let greedy = (0..<40).map { _ in SilentClient(port: port, from: "127.0.0.7") }
    defer { withExtendedLifetime(greedy) {} }
    #expect(!greedy.contains { !$0.isConnected })
    #expect(try await ask(from: "127.0.0.7") == "503")
    #expect(try await ask(from: "127.0.0.8") == "200", "one address does not shut others out")
    let command = try await RawConnection(path).exchange(Array("GET /text HTTP/1.1\r\nHost: b\r\n\r\n".utf8))
    #expect(command.hasPrefix("HTTP/1.1 200"))
    await server.stop()
  }
}

/// A connection from an address of the loopback's that sends nothing.
private final class SilentClient {
  private let socket: Int32
  let isConnected: Bool

  init(port: Int, from client: String) {
    let descriptor = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    socket = descriptor
    // Safe: inet_addr(3) reads the text during the call.
    func address(_ text: String, _ port: Int) -> sockaddr_in {
      var address = sockaddr_in()
      address.sin_family = sa_family_t(AF_INET)
      address.sin_port = in_port_t(UInt16(port)).bigEndian
      address.sin_addr.s_addr = unsafe inet_addr(text)
      return address
    }
    var (own, server) = (address(client, 0), address("127.0.0.1", port))
    // Safe: the structs live during the calls, which read as much as they are told.
    isConnected = unsafe withUnsafePointer(to: &own) { own in
      unsafe withUnsafePointer(to: &server) { server in
        unsafe own.withMemoryRebound(to: sockaddr.self, capacity: 1) { own in
          unsafe server.withMemoryRebound(to: sockaddr.self, capacity: 1) { server in
            let size = socklen_t(MemoryLayout<sockaddr_in>.size)
            return unsafe bind(descriptor, own, size) == 0 && connect(descriptor, server, size) == 0
          }
        }
      }
    }
  }

  deinit { close(socket) }
}
