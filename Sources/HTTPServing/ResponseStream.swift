package import NIOCore

/// Where a response is written piece by piece. A write returns when the socket has taken it: who reads slowly slows the writer
/// down, and nothing piles up in memory.
package struct ResponseStream: Sendable {
  private let eventLoop: any EventLoop
  private let connection: NIOLoopBound<HTTPConnection>

  init(_ connection: HTTPConnection, on eventLoop: any EventLoop) {
    self.eventLoop = eventLoop
    self.connection = NIOLoopBound(connection, eventLoop: eventLoop)
  }

  package func write(_ bytes: ByteBuffer) async throws {
    try Task.checkCancellation()
    try await eventLoop.flatSubmit { connection.value.send(bytes) }.get()
  }
}
