internal import JSON

/// Reads a stream from some message on, in order and without a gap: whatever is lost on the way (a server's end, a consumer that it
/// forgot) is asked for again.
///
/// ```swift
/// var reader = StreamReader(nats, "BL_FAIL", name: "agg-web-17", from: 1)
/// while let messages = try reader.read(seconds: 1) { … }
/// ```
struct StreamReader {
  /// A message with where it is in the stream.
  struct Message {
    var sequence: UInt64
    /// When the stream took it: nanoseconds since 1970.
    var time: Int64
    var subject: String
    var data: [UInt8]
    /// How many there are behind it.
    var pending: UInt64
  }

  private let connection: NATSConnection
  private let stream: String
  private let name: String
  private(set) var next: UInt64
  private let inbox: String
  private var subscription: NATSSubscription?
  /// The number of the next message in the consumer's own count.
  private var expected: UInt64 = 1
  /// How many messages the last request may still bring: there is one request at a time, for a consumer takes only so many.
  private var open = 0
  private static let batch = 500
  /// Has the stream fewer messages than were read? It was begun again, and so must whoever reads it.
  private(set) var isStale = false

  /// - Parameter name: of the consumer, which is this reader's alone.
  init(_ connection: NATSConnection, _ stream: String, name: String, from sequence: UInt64) {
    self.connection = connection
    self.stream = stream
    self.name = name
    inbox = connection.inbox()
    next = max(1, sequence)
  }

  /// What is there now, up to some hundred messages; after this time nothing. In their order.
  /// - Throws: when the stream cannot be read; the next call begins again where this one was.
  mutating func read(seconds: Double) throws(FleetError) -> [Message] {
    do throws(FleetError) {
      return try pull(seconds)
    } catch {
      subscription = nil
      throw error
    }
  }

  private mutating func pull(_ seconds: Double) throws(FleetError) -> [Message] {
    let subscription: NATSSubscription
    if let open = self.subscription { subscription = open } else { subscription = try start() }
    if open == 0 {
      try connection.publish(
        "$JS.API.CONSUMER.MSG.NEXT.\(stream).\(name)",
        Array(#"{"batch":\#(Self.batch),"expires":\#(Int64(seconds * 1e9))}"#.utf8), reply: inbox)
      open = Self.batch
    }
    var messages: [Message] = []
    while open > 0 {
      // What has come is dealt with; what comes later is there at the next call.
      guard let message = try subscription.next(seconds: messages.isEmpty ? seconds + 1 : 0.02) else {
        if messages.isEmpty { throw FleetError("stream \(stream): the servers do not answer") }
        break
      }
      if let status = message.status {
        open = 0
        // 404 and 408: nothing (more) is there. Others (409: the consumer is gone) mean to begin again.
        guard status == 404 || status == 408 else {
          if messages.isEmpty {
            throw FleetError("stream \(stream): \(message.headers["Description"] ?? "status \(status)")")
          }
          self.subscription = nil
          break
        }
        break
      }
      guard let place = Place(message.reply ?? "") else { continue }
      open -= 1
      guard place.delivered == expected else {
        self.subscription = nil
        break
      }
      expected += 1
      next = place.sequence + 1
      messages.append(
        Message(
          sequence: place.sequence, time: place.time, subject: message.subject, data: message.data,
          pending: place.pending))
    }
    return messages
  }

  private mutating func start() throws(FleetError) -> NATSSubscription {
    struct Request: Encodable {
      var streamName: String
      var config: Config
    }
    struct Config: Encodable {
      var name: String
      var deliverPolicy = "by_start_sequence"
      var optStartSeq: UInt64
      var ackPolicy = "none"
      var replayPolicy = "instant"
      var inactiveThreshold: Int64 = 60_000_000_000
      var maxWaiting = 16
      var numReplicas = 1
      var memStorage = true
    }
    guard let info = try JetStream(connection: connection).stream(stream) else {
      throw FleetError("there is no stream \(stream)", remedy: "run bailiff fleet init")
    }
    isStale = info.state.lastSeq + 1 < next
    guard !isStale else { throw FleetError("the stream \(stream) was begun again") }
    // One of the same name that begins elsewhere would be refused.
    _ = try connection.request("$JS.API.CONSUMER.DELETE.\(stream).\(name)", [])
    let request = Request(streamName: stream, config: Config(name: name, optStartSeq: next))
    let reply = try connection.request("$JS.API.CONSUMER.CREATE.\(stream).\(name)", JSONOutput.line(of: request))
    if let error = JetStream.error(reply) {
      throw FleetError("stream \(stream): \(error.description ?? "error \(error.code)") (\(error.code))")
    }
    let made = try connection.subscribe(inbox)
    subscription = made
    expected = 1
    open = 0
    return made
  }

  /// What the reply subject of a message tells (`$JS.ACK.…`).
  struct Place {
    var sequence: UInt64
    var delivered: UInt64
    var time: Int64
    var pending: UInt64

    /// Of nine parts, or with a domain and an account before the stream of twelve.
    init?(_ subject: String) {
      let parts = subject.split(separator: ".")
      guard parts.count == 9 || parts.count >= 12, parts[0] == "$JS", parts[1] == "ACK" else { return nil }
      let first = parts.count == 9 ? 5 : 7
      guard let sequence = UInt64(parts[first]), let delivered = UInt64(parts[first + 1]),
        let time = Int64(parts[first + 2]), let pending = UInt64(parts[first + 3])
      else { return nil }
      (self.sequence, self.delivered, self.time, self.pending) = (sequence, delivered, time, pending)
    }
  }
}
