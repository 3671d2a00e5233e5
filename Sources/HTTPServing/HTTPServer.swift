internal import Model
package import NIOCore
internal import NIOHTTP1
internal import NIOPosix

/// HTTP/1.1 on sockets, all of them on one thread.
///
/// ```swift
/// let server = HTTPServer(Router(routes), failures: failures)
/// try await server.listen(unixSocket: "/run/bailiff/bailiff.sock")
/// …
/// await server.stop()
/// ```
package final class HTTPServer: Sendable {
  private let threads: MultiThreadedEventLoopGroup
  private let loop: any EventLoop
  private let router: Router
  private let limits: HTTPLimits
  private let failures: HTTPFailures
  private let connections: NIOLoopBoundBox<Connections>

  package init(_ router: Router, failures: HTTPFailures, limits: HTTPLimits = HTTPLimits()) {
    threads = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    loop = threads.next()
    self.router = router
    self.limits = limits
    self.failures = failures
    connections = NIOLoopBoundBox.makeBoxSendingValue(Connections(), eventLoop: loop)
  }

  /// One look a second at all deadlines, rather than a timer for each step of each request; none while nobody is connected.
  private static func sweep(_ connections: NIOLoopBoundBox<Connections>, on loop: any EventLoop) {
    guard !connections.value.isSwept else { return }
    connections.value.isSwept = true
    loop.scheduleRepeatedTask(initialDelay: .seconds(1), delay: .seconds(1)) { task in
      let now = NIODeadline.now()
      for connection in connections.value.open.values where connection.deadline <= now { connection.expire() }
      guard connections.value.open.isEmpty else { return }
      connections.value.isSwept = false
      task.cancel()
    }
  }

  /// - Throws: `IOError` when the socket cannot be bound.
  package func listen(unixSocket path: String) async throws {
    let channel = try await bootstrap().bind(unixDomainSocketPath: path).get()
    try await loop.submit { [connections] in connections.value.listening.append(channel) }.get()
  }

  /// Returns the address that was bound; port 0 takes a free one.
  package func listen(host: String, port: Int) async throws -> SocketAddress? {
    let channel = try await bootstrap().serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .bind(host: host, port: port).get()
    try await loop.submit { [connections] in connections.value.listening.append(channel) }.get()
    return channel.localAddress
  }

  private func bootstrap() -> ServerBootstrap {
    ServerBootstrap(group: loop)
      .serverChannelOption(.backlog, value: 256)
      .childChannelOption(.allowRemoteHalfClosure, value: true)
      .childChannelInitializer { [router, limits, failures, connections] channel in
        channel.eventLoop.makeCompletedFuture {
          let rooms = Room.of(channel)
          let isFull = rooms.contains { connections.value.taken[$0, default: 0] >= $0.size(limits) }
          // Who finds no room is told so by a server without routes, takes no place, and does not stay.
          let connection =
            isFull
            ? HTTPConnection(Router([]), limits.hurried, .full(failures)) : HTTPConnection(router, limits, failures)
          try Self.configure(channel, connection, limits)
          let id = ObjectIdentifier(connection)
          let places = isFull ? [] : rooms
          connections.value.open[id] = connection
          for room in places { connections.value.taken[room, default: 0] += 1 }
          Self.sweep(connections, on: channel.eventLoop)
          channel.closeFuture.whenComplete { [connections] _ in
            connections.value.open[id] = nil
            for room in places { connections.value.leave(room) }
          }
        }
      }
  }

  private static func configure(_ channel: any Channel, _ connection: HTTPConnection, _ limits: HTTPLimits) throws {
    var decoder = NIOHTTPDecoderLimitConfiguration()
    decoder.maxHeaderFieldSize = limits.headerField
    decoder.maxHeaderListSize = limits.headerList
    decoder.maxHeaderFieldCount = limits.headerCount
    try channel.pipeline.syncOperations.configureHTTPServerPipeline(
      withErrorHandling: false, withEncoderConfiguration: .init(), withDecoderLimitConfiguration: decoder)
    try channel.pipeline.syncOperations.addHandler(connection)
  }

  /// Listens no more, finishes what is under way, for `patience` at most, and ends its thread.
  package func stop(patience: TimeAmount = .seconds(2)) async {
    let connections = connections
    let isIdle = loop.makePromise(of: Void.self)
    loop.execute {
      for channel in connections.value.listening { channel.close(promise: nil) }
      for connection in connections.value.open.values { connection.stop() }
    }
    let watch = loop.scheduleRepeatedTask(initialDelay: .zero, delay: .milliseconds(20)) { _ in
      if connections.value.open.isEmpty { isIdle.succeed() }
    }
    let timeout = loop.scheduleTask(in: patience) { isIdle.succeed() }
    try? await isIdle.futureResult.get()
    watch.cancel()
    timeout.cancel()
    // Closes what is still open.
    try? await threads.shutdownGracefully()
  }

  /// Used on the event loop alone.
  private struct Connections {
    var listening: [any Channel] = []
    var open: [ObjectIdentifier: HTTPConnection] = [:]
    /// How many are in each room.
    var taken: [Room: Int] = [:]
    /// Are their deadlines looked at?
    var isSwept = false

    mutating func leave(_ room: Room) {
      let left = taken[room, default: 1] - 1
      taken[room] = left > 0 ? left : nil
    }
  }

  /// What a connection takes a place in.
  private enum Room: Hashable, Sendable {
    case local
    case remote
    case client(Subnet)

    static func of(_ channel: any Channel) -> [Room] {
      guard let text = channel.remoteAddress?.ipAddress, let address = Address(Substring(text)) else { return [.local] }
      return [.remote, .client(Subnet(address, ipv4Prefix: 32, ipv6Prefix: 64))]
    }

    func size(_ limits: HTTPLimits) -> Int {
      switch self {
      case .local, .remote: limits.connections
      case .client: limits.connectionsOfOne
      }
    }
  }
}

extension HTTPFailures {
  fileprivate static func full(_ failures: HTTPFailures) -> HTTPFailures {
    var full = failures
    full.notFound = failures.full
    return full
  }
}
