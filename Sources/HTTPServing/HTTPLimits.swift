package import NIOCore

/// What one client may take of the server's memory, sockets and time.
package struct HTTPLimits: Sendable {
  /// Connections at once by the Unix socket, and as many by TCP, so that nobody on TCP shuts commands out; the next one is told 503.
  package var connections = 1024
  /// Of these so many of one address, or of the /64 that it is in. A proxy is one address for all its clients.
  package var connectionsOfOne = 768
  /// Of a request's head: one field, all fields, how many.
  package var headerField = 8 << 10
  package var headerList = 16 << 10
  package var headerCount = 64
  /// Until the next request's head is there, from the connection or the last response.
  package var idle = TimeAmount.seconds(15)
  /// From the head of a request to its end, and a second for each `bodyRate` bytes of its body.
  package var receive = TimeAmount.seconds(10)
  package var bodyRate = 16 << 10
  /// Without a byte that a reader takes.
  package var send = TimeAmount.seconds(20)
  /// What is read and dropped after a request was refused before its end, so that the client sees why and not a reset.
  package var linger = TimeAmount.seconds(2)
  package var lingerBytes = 4 << 20

  package init() {}

  /// For who is only told that there is no room.
  var hurried: HTTPLimits {
    var limits = self
    limits.idle = .seconds(2)
    limits.receive = .seconds(2)
    return limits
  }
}
