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
          let isFull = connections.value.open.count >= limits.connections
          // Who finds no room is told so by a server without routes.
          let connection = HTTPConnection(isFull ? Router([]) : router, limits, isFull ? .full(failures) : failures)
          try Self.configure(channel, connection, limits)
          let id = ObjectIdentifier(connection)
          connections.value.open[id] = connection
          Self.sweep(connections, on: channel.eventLoop)
          channel.closeFuture.whenComplete { [connections] _ in connections.value.open[id] = nil }
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
    /// Are their deadlines looked at?
    var isSwept = false
  }
}

extension HTTPFailures {
  fileprivate static func full(_ failures: HTTPFailures) -> HTTPFailures {
    var full = failures
    full.notFound = failures.full
    return full
  }
}
