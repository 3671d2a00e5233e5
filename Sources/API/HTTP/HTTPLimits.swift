import NIOCore

/// What one client may take of the server's memory, sockets and time.
struct HTTPLimits: Sendable {
  /// Connections at once; the next one is told 503.
  var connections = 1024
  /// Of a request's head: one field, all fields, how many.
  var headerField = 8 << 10
  var headerList = 16 << 10
  var headerCount = 64
  /// Until the next request's head is there, from the connection or the last response.
  var idle = TimeAmount.seconds(15)
  /// From the head of a request to its end, and a second for each `bodyRate` bytes of its body.
  var receive = TimeAmount.seconds(10)
  var bodyRate = 16 << 10
  /// Without a byte that a reader takes.
  var send = TimeAmount.seconds(20)
  /// What is read and dropped after a request was refused before its end, so that the client sees why and not a reset.
  var linger = TimeAmount.seconds(2)
  var lingerBytes = 4 << 20
}
