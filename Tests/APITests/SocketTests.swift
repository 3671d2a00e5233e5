import API
import Foundation
import Model
import Testing

@Suite(.timeLimit(.minutes(2))) struct SocketTests {
  @Test func withoutADaemonTheClientSaysSo() async throws {
    let server = try TestServer()
    let error = await #expect(throws: RequestError.self) { try await server.ask { try $0.status() } }
    #expect(error?.kind == .notRunning)
    #expect(error?.message.contains(server.socket) == true)
    #expect(error?.remedy?.contains("bailiff run") == true)
  }

  @Test func aSocketThatADeadDaemonLeftIsReplaced() async throws {
    let server = try TestServer()
    try FileManager.default.createDirectory(atPath: server.directory + "/run", withIntermediateDirectories: true)
    let made = try await run([
      "python3", "-c", "import socket,sys; s=socket.socket(socket.AF_UNIX); s.bind(sys.argv[1])", server.socket,
    ])
    #expect(made.status == 0)
    #expect(FileManager.default.fileExists(atPath: server.socket))
    await #expect(throws: RequestError.self) { try await server.ask { try $0.status() } }
    try await server.start()
    #expect(try await server.ask { try $0.status() }.pid == 17)
    await server.stop()
  }

  @Test func aLiveDaemonIsNotPushedAside() async throws {
    let server = try TestServer()
    try await server.start()
    let error = await #expect(throws: RequestError.self) {
      try await ControlServer.start(
        socket: server.socket, handlers: server.handlers(bans: []), context: TestServer.context)
    }
    #expect(error?.message == "another bailiff answers on \(server.socket)")
    #expect(try await server.ask { try $0.status() }.pid == 17)
    await server.stop()
  }

  @Test func aFileThatIsNoSocketStays() async throws {
    let server = try TestServer()
    try FileManager.default.createDirectory(atPath: server.directory + "/run", withIntermediateDirectories: true)
    try Data("precious".utf8).write(to: URL(fileURLWithPath: server.socket))
    await #expect(throws: RequestError.self) { try await server.start() }
    #expect(try String(contentsOfFile: server.socket, encoding: .utf8) == "precious")
  }

  @Test func pathsThatCannotBeBoundAreExplained() async throws {
    let server = try TestServer()
    let handlers = server.handlers(bans: [])
    let long = server.directory + "/" + String(repeating: "x", count: 200)
    let tooLong = await #expect(throws: RequestError.self) {
      try await ControlServer.start(socket: long, handlers: handlers, context: TestServer.context)
    }
    #expect(tooLong?.remedy?.contains("1 to 107") == true)
    let nowhere = await #expect(throws: RequestError.self) {
      try await ControlServer.start(
        socket: server.directory + "/a/b/c.sock", handlers: handlers, context: TestServer.context)
    }
    #expect(nowhere?.message.contains("No such file or directory") == true)
    let noGroup = await #expect(throws: RequestError.self) {
      try await ControlServer.start(
        socket: server.socket, group: "no-such-group", handlers: handlers, context: TestServer.context)
    }
    #expect(noGroup?.message.contains("no-such-group") == true)
  }

  @Test func stoppingRemovesTheSocketAndItCanStartAgain() async throws {
    let server = try TestServer()
    try await server.start()
    await server.stop()
    #expect(!FileManager.default.fileExists(atPath: server.socket))
    try await server.start()
    #expect(try await server.ask { try $0.status() }.pid == 17)
    await server.stop()
  }

  @Test func stoppingDoesNotWaitForAnIdleConnection() async throws {
    let server = try TestServer()
    try await server.start()
    let idle = try RawConnection(server.socket)
    let clock = ContinuousClock()
    let elapsed = await clock.measure { await server.stop() }
    #expect(elapsed < .seconds(20))
    withExtendedLifetime(idle) {}
  }

  @Test func aDaemonThatHangsMeetsTheDeadline() async throws {
    let server = try TestServer()
    let path = server.directory + "/deaf.sock"
    let deaf = Process()
    deaf.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    deaf.arguments = [
      "python3", "-c",
      "import socket,sys,time; s=socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); s.listen(); time.sleep(60)", path,
    ]
    try deaf.run()
    defer { deaf.terminate() }
    while !FileManager.default.fileExists(atPath: path) { try await Task.sleep(for: .milliseconds(20)) }
    let error = await #expect(throws: RequestError.self) {
      // Between bind and listen nobody answers yet.
      while true {
        do {
          _ = try await blocking { try ControlClient(socket: path, deadline: 1).status() }
        } catch let error as RequestError where error.kind == .notRunning {
          continue
        }
      }
    }
    #expect(error?.kind == .deadline)
  }
}
