/// Reads what a stream holds from some message on, through requests that any permission to look allows: a server of the fleet makes no
/// consumers, which could be told to deliver elsewhere. Several chains of requests go at once, each through a part of the stream.
struct LastWords {
  let connection: NATSConnection
  let stream: String
  let filter: String

  private static let chains = 64

  /// Hands over each message once, in no order. Returns the number of the last one that there is.
  func read(from sequence: UInt64, seconds: Double = 10, _ body: (JetStream.Stored) -> Void) throws(FleetError)
    -> UInt64
  {
    let jetStream = JetStream(connection: connection)
    guard let last = try jetStream.last(stream, filter), last.sequence >= sequence else { return sequence - 1 }
    let width = (last.sequence - sequence) / UInt64(Self.chains) + 1
    let replies = connection.inbox()
    let subscription = try connection.subscribe("\(replies).*")
    /// Where each chain ends, by its number.
    var ends: [UInt64] = []
    func ask(_ chain: Int, from next: UInt64) throws(FleetError) {
      try connection.publish(
        "$JS.API.DIRECT.GET.\(stream)", JetStream.nextRequest(from: next, filter), reply: "\(replies).\(chain)")
    }
    var start = sequence
    while start <= last.sequence {
      ends.append(min(start + width, last.sequence + 1))
      try ask(ends.count - 1, from: start)
      start += width
    }
    var open = ends.count
    while open > 0 {
      guard let reply = try subscription.next(seconds: seconds) else {
        throw FleetError("stream \(stream): the servers do not answer")
      }
      guard let chain = reply.subject.split(separator: ".").last.flatMap({ Int($0) }), ends.indices.contains(chain)
      else { continue }
      guard let stored = try JetStream.stored(reply, stream), stored.sequence < ends[chain] else {
        open -= 1
        continue
      }
      body(stored)
      if stored.sequence + 1 < ends[chain] { try ask(chain, from: stored.sequence + 1) } else { open -= 1 }
    }
    return last.sequence
  }
}
