import Glibc
import HTTPTypes
import Hummingbird
import HummingbirdCore
import Logging
import Model
import NIOCore
import NIOPosix

/// The API's server: HTTP and JSON on a Unix socket, one thread of its own.
///
/// ```swift
/// let server = try await ControlServer.start(socket: "/run/bailiff/bailiff.sock", group: "bailiff", handlers: handlers)
/// …
/// await server.stop()
/// ```
/// Root, the daemon's own user and the members of `group` are admitted, by the socket's mode and again by the peer's
/// credentials; everybody else is told so.
public actor ControlServer {
  /// What a request's body may hold; the longest real one has some hundred bytes.
  static let largestRequest = 64 << 10

  private let server: Server<HTTP1Channel>
  private let running: Task<Void, any Error>
  private let threads: MultiThreadedEventLoopGroup
  private let file: SocketFile
  private let fileIdentity: UInt64?

  private init(
    server: Server<HTTP1Channel>, running: Task<Void, any Error>, threads: MultiThreadedEventLoopGroup, file: SocketFile
  ) {
    self.server = server
    self.running = running
    self.threads = threads
    self.file = file
    fileIdentity = file.identity()
  }

  /// Binds the socket; when this returns, clients are answered.
  public static func start(socket path: String, group: String? = nil, handlers: ControlHandlers) async throws
    -> ControlServer
  {
    let gid = try group.map { name throws(ControlError) in
      guard let gid = Accounts.groupID(name) else {
        throw ControlError(
          .invalid, "group \(name), which the socket is to admit, does not exist", remedy: "groupadd --system \(name)")
      }
      return gid
    }
    let file = SocketFile(path: path)
    try file.prepare()

    let responder = ControlRoutes(handlers: handlers, admission: Admission(group: gid, groupName: group)).responder()
    let threads = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    let (ready, isReady) = AsyncStream.makeStream(of: Void.self)
    let server = Server(
      childChannelSetup: HTTP1Channel(
        responder: responder,
        configuration: HTTP1Channel.Configuration(
          // Silence between requests, or in the middle of one; a handler may take its time.
          idleTimeout: .seconds(3),
          httpDecoderConfiguration: .init(
            maxHeaderFieldSize: 8 << 10, maxHeaderListSize: 16 << 10, maxHeaderFieldCount: 64))),
      configuration: ServerConfiguration(
        address: .unixDomainSocket(path: path), serverName: nil, backlog: 64,
        availableConnectionsDelegate: MaximumAvailableConnections(64, logger: .silent)),
      onServerRunning: { _ in isReady.yield() },
      eventLoopGroup: threads, logger: .silent)
    let running = Task {
      defer { isReady.finish() }
      try await server.run()
    }
    do {
      var iterator = ready.makeAsyncIterator()
      if await iterator.next() == nil { try await running.value }
      try file.admit(group: gid)
      return ControlServer(server: server, running: running, threads: threads, file: file)
    } catch {
      running.cancel()
      try? await threads.shutdownGracefully()
      guard let error = error as? IOError else { throw error }
      throw ControlError(
        .failed, "cannot listen on \(path): \(systemMessage(error.errnoCode))",
        remedy: "its directory must exist and be writable by this user")
    }
  }

  /// Answers the requests that are under way, for two seconds at most, and removes the socket.
  public func stop() async {
    file.remove(ifStill: fileIdentity)
    let server = server
    let running = running
    await withTaskGroup { group in
      group.addTask { try? await server.shutdownGracefully() }
      group.addTask { try? await Task.sleep(for: .seconds(2)) }
      await group.next()
      running.cancel()
      group.cancelAll()
    }
    // Connections that are still being closed schedule work on the threads that end next.
    _ = await running.result
    try? await threads.shutdownGracefully()
  }
}

extension Logger {
  /// Who connects to the API is the audit's business; Hummingbird's own diary is not kept.
  static let silent = Logger(label: "control") { _ in SwiftLogNoOpLogHandler() }
}
