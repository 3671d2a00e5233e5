/// Publishes many messages at once and waits until the stream holds them.
struct Publisher {
  let connection: NATSConnection

  private static let window = 256

  /// Returns those that the stream has not said it holds.
  func publish(_ outputs: [FleetDetector.Output], seconds: Double = 5) throws(FleetError) -> [FleetDetector.Output] {
    if let problem = connection.problem { throw FleetError(problem) }
    let replies = connection.inbox()
    let subscription = try connection.subscribe("\(replies).*")
    var missing = Set(outputs.indices)
    var (next, open) = (0, 0)
    while next < outputs.count || open > 0 {
      while next < outputs.count, open < Self.window {
        let output = outputs[next]
        try connection.publish(
          output.subject, output.message.bytes, reply: "\(replies).\(next)", headers: [("Nats-Msg-Id", output.id)])
        next += 1
        open += 1
      }
      guard let reply = try subscription.next(seconds: seconds) else { break }
      guard let index = reply.subject.split(separator: ".").last.flatMap({ Int($0) }) else { continue }
      open -= 1
      if reply.status == nil, JetStream.error(reply) == nil { missing.remove(index) }
    }
    return missing.sorted().map { outputs[$0] }
  }
}
