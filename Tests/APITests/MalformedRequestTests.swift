import API
import Foundation
import Synchronization
import Testing

/// A connection without a client's good manners.
final class RawConnection: Sendable {
  private let handle: FileHandle

  init(_ path: String) throws {
    let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    // Safe: the tests' paths are shorter than sun_path, and the pointers do not leave the closures.
    unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: Array(path.utf8)) }
    let result = unsafe withUnsafePointer(to: &address) {
      unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    if result != 0 { throw POSIXError(.init(rawValue: errno) ?? .EIO) }
  }

  /// Sends, says that no more comes, and reads to the end.
  func exchange(_ bytes: [UInt8]) async throws -> String {
    try await blocking { [handle] in
      // The server may have closed already.
      try? handle.write(contentsOf: Data(bytes))
      shutdown(handle.fileDescriptor, Int32(SHUT_WR))
      return String(decoding: (try? handle.readToEnd()) ?? Data(), as: UTF8.self)
    }
  }

  /// Sends and reads to the end, without saying that no more comes.
  func readAfter(_ text: String) throws -> String {
    try handle.write(contentsOf: Data(text.utf8))
    return String(decoding: (try? handle.readToEnd()) ?? Data(), as: UTF8.self)
  }
}

@Suite(.timeLimit(.minutes(2))) struct MalformedRequestTests {
  private func post(_ server: TestServer, _ path: String, _ body: [UInt8]) async throws -> (
    status: String, body: String
  ) {
    let head = "POST \(path) HTTP/1.1\r\nHost: b\r\nContent-Length: \(body.count)\r\n\r\n"
    let answer = try await RawConnection(server.socket).exchange(Array(head.utf8) + body)
    let parts = answer.split(separator: "\r\n\r\n", maxSplits: 1)
    let status = answer.split(separator: " ").dropFirst().first.map(String.init) ?? ""
    return (status, parts.count > 1 ? String(parts[1]) : "")
  }

  @Test(arguments: [
    ("", "it does not parse"), ("{", "it does not parse"), ("[]", "the top level is not"), ("nul", "it does not parse"),
    ("{}", "id is missing"), (#"{"id":7,"force":false}"#, "id is not a text"),
    (#"{"id":"192.0.2.7","force":"yes"}"#, "force is not true or false"),
    (#"{"id":"192.0.2.7","force":false,"bantime":1e300}"#, "does not fit"),
    (#"{"id":"192.0.2.7","force":false,"bantime":1.5}"#, "does not fit"),
    (#"{"id":"192.0.2.7","force":false,"bantime":0}"#, "0 seconds"),
    (#"{"id":"192.0.2.7","force":false,"confirm":-1}"#, "at least 1 second"),
    (#"{"id":"","force":false}"#, "the id is empty"),
    ("{\"id\":\"\u{0}\"", "it does not parse"),
  ])
  func aBodyThatIsNoRequestIsOneLine(_ body: String, _ expected: String) async throws {
    let server = try TestServer()
    try await server.start()
    let answer = try await post(server, "/api/v1/ban", Array(body.utf8))
    #expect(answer.status == "400")
    #expect(answer.body.contains(expected), "\(answer.body)")
    #expect(answer.body.firstIndex(of: "\n") == answer.body.lastIndex(of: "\n"))
    #expect(answer.body.hasPrefix(#"{"error":{"kind":"invalid","message":""#))
    #expect(server.received.withLock { $0.isEmpty })
    await server.stop()
  }

  @Test func deepNestingIsRefused() async throws {
    let server = try TestServer()
    try await server.start()
    let answer = try await post(server, "/api/v1/ban", [UInt8](repeating: UInt8(ascii: "["), count: 60_000))
    #expect(answer.status == "400")
    await server.stop()
  }

  @Test func invalidUTF8IsRefused() async throws {
    let server = try TestServer()
    try await server.start()
    let answer = try await post(server, "/api/v1/unban", Array(#"{"id":""#.utf8) + [0xFF, 0xFE] + Array(#""}"#.utf8))
    #expect(answer.status == "400")
    await server.stop()
  }

  @Test func aBodyPastTheLimitIsRefusedAndNotKept() async throws {
    let server = try TestServer()
    try await server.start()
    let answer = try await post(server, "/api/v1/ban", [UInt8](repeating: UInt8(ascii: " "), count: 1 << 20))
    #expect(answer.status == "413")
    #expect(try await server.ask { try $0.status() }.pid == 17)
    await server.stop()
  }

  @Test func unknownEndpointsAndMethods() async throws {
    let server = try TestServer()
    try await server.start()
    #expect(try await post(server, "/v2/ban", []).status == "404")
    #expect(try await post(server, "/api/v1/status", []).status == "405")
    #expect(try await post(server, "/", []).status == "404")
    #expect(try await post(server, "/api/v1/../../etc/passwd", []).status == "404")
    await server.stop()
  }

  /// Bytes that are no HTTP, requests cut off anywhere, and requests with bytes changed: the server answers the next.
  @Test func garbageStopsNothing() async throws {
    let server = try TestServer()
    try await server.start()
    var random = SystemRandomNumberGenerator()
    let valid = Array(
      "POST /api/v1/unban HTTP/1.1\r\nHost: b\r\nContent-Length: 18\r\n\r\n{\"id\":\"192.0.2.7\"}".utf8)
    for round in 0..<300 {
      var bytes = valid
      switch round % 3 {
      case 0: bytes = (0..<Int.random(in: 0..<400, using: &random)).map { _ in .random(in: 0...255, using: &random) }
      case 1: bytes = Array(valid.prefix(.random(in: 0..<valid.count, using: &random)))
      default:
        for _ in 0..<Int.random(in: 1..<8, using: &random) {
          bytes[.random(in: 0..<bytes.count, using: &random)] = .random(in: 0...255, using: &random)
        }
      }
      _ = try await RawConnection(server.socket).exchange(bytes)
    }
    let headers = "GET /api/v1/status HTTP/1.1\r\n" + String(repeating: "X: y\r\n", count: 100_000) + "\r\n"
    _ = try await RawConnection(server.socket).exchange(Array(headers.utf8))
    let uri = "GET /api/v1/" + String(repeating: "a", count: 1 << 20) + " HTTP/1.1\r\n\r\n"
    _ = try await RawConnection(server.socket).exchange(Array(uri.utf8))
    #expect(try await server.ask { try $0.status() }.pid == 17)
    await server.stop()
  }
}
