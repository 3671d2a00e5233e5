internal import JSON
internal import Model

/// JetStream's API over plain requests (https://docs.nats.io/reference/reference-protocols/nats_api_reference): JSON on
/// `$JS.API.…`.
struct JetStream: Sendable {
  let connection: NATSConnection

  // MARK: Publishing

  struct Acknowledgement: Decodable, Sendable {
    var seq: UInt64
    /// Was the message there already?
    var duplicate: Bool?
  }

  /// Returns when the stream's servers hold the message. A second one of the same id within the stream's `duplicate_window`
  /// is none.
  func publish(
    _ subject: String, _ data: [UInt8], id: String, headers: [(String, String)] = [], seconds: Double = 5
  ) throws(FleetError) -> Acknowledgement {
    let reply = try connection.request(subject, data, headers: [("Nats-Msg-Id", id)] + headers, seconds: seconds)
    return try Self.decode(Acknowledgement.self, reply, subject)
  }

  // MARK: Streams

  /// What Bailiff says of a stream; the servers know more.
  struct StreamConfig: Codable, Sendable, Equatable {
    var name: String
    var subjects: [String]
    var retention = "limits"
    var storage = "file"
    var discard = "old"
    var numReplicas: Int
    /// Nanoseconds; 0: none.
    var maxAge: Int64
    var maxBytes: Int64
    var maxMsgsPerSubject: Int64 = -1
    var maxMsgSize: Int32 = 1 << 20
    var duplicateWindow: Int64
    var allowDirect = true
    var denyDelete = false
  }

  struct StreamInfo: Decodable, Sendable {
    var config: StreamConfig
    var state: State
    var cluster: Cluster?

    struct State: Decodable, Sendable {
      var messages: UInt64
      var bytes: UInt64
      var firstSeq: UInt64
      var lastSeq: UInt64
      var consumerCount: Int
      /// How many messages each subject has, where that was asked for.
      var subjects: [String: UInt64]?
    }

    struct Cluster: Decodable, Sendable {
      var leader: String?
      var replicas: [Replica]?
    }

    struct Replica: Decodable, Sendable {
      var name: String
      var current: Bool?
      var offline: Bool?
      var lag: UInt64?
    }
  }

  /// Nil: there is none of that name.
  func stream(_ name: String, subjects: String? = nil) throws(FleetError) -> StreamInfo? {
    struct Request: Encodable { var subjectsFilter: String }
    let body = subjects.map { JSONOutput.line(of: Request(subjectsFilter: $0)) } ?? []
    let reply = try connection.request("$JS.API.STREAM.INFO.\(name)", body)
    if Self.error(reply)?.code == 404 { return nil }
    return try Self.decode(StreamInfo.self, reply, "stream \(name)")
  }

  func create(_ config: StreamConfig) throws(FleetError) -> StreamInfo {
    let reply = try connection.request("$JS.API.STREAM.CREATE.\(config.name)", JSONOutput.line(of: config))
    return try Self.decode(StreamInfo.self, reply, "stream \(config.name)")
  }

  func update(_ config: StreamConfig) throws(FleetError) -> StreamInfo {
    let reply = try connection.request("$JS.API.STREAM.UPDATE.\(config.name)", JSONOutput.line(of: config))
    return try Self.decode(StreamInfo.self, reply, "stream \(config.name)")
  }

  struct ConsumerInfo: Decodable, Sendable {
    var name: String
    var numPending: UInt64
  }

  /// A stream's consumers, the first 256 of them.
  func consumers(_ name: String) throws(FleetError) -> [ConsumerInfo] {
    struct Page: Decodable { var consumers: [ConsumerInfo]? }
    let reply = try connection.request("$JS.API.CONSUMER.LIST.\(name)", [])
    return try Self.decode(Page.self, reply, "stream \(name)").consumers ?? []
  }

  // MARK: Looking

  /// A message of a stream, as a server near by holds it.
  struct Stored: Sendable {
    var sequence: UInt64
    var subject: String
    var data: [UInt8]
  }

  /// The first message of `filter` from `sequence` on; nil: there is none.
  func next(_ stream: String, from sequence: UInt64, _ filter: String) throws(FleetError) -> Stored? {
    try direct(stream, Self.nextRequest(from: sequence, filter))
  }

  static func nextRequest(from sequence: UInt64, _ filter: String) -> [UInt8] {
    Array(#"{"seq":\#(max(1, sequence)),"next_by_subj":"\#(filter)"}"#.utf8)
  }

  /// The last message of a subject, which may have wildcards.
  func last(_ stream: String, _ subject: String) throws(FleetError) -> Stored? {
    try direct(stream, Array(#"{"last_by_subj":"\#(subject)"}"#.utf8))
  }

  /// When the stream took the last message of a subject, in seconds since 1970.
  func lastTime(_ stream: String, _ subject: String) throws(FleetError) -> Int64? {
    let reply = try connection.request("$JS.API.DIRECT.GET.\(stream)", Array(#"{"last_by_subj":"\#(subject)"}"#.utf8))
    guard try Self.stored(reply, stream) != nil else { return nil }
    return reply.headers["Nats-Time-Stamp"].flatMap { Instant(rfc3339: $0) }?.seconds
  }

  private func direct(_ stream: String, _ request: [UInt8]) throws(FleetError) -> Stored? {
    do throws(FleetError) {
      return try Self.stored(try connection.request("$JS.API.DIRECT.GET.\(stream)", request), stream)
    } catch {
      // Of a stream that is not there nobody says so.
      throw FleetError(error.message, remedy: "is there a stream \(stream)? bailiff fleet init makes it")
    }
  }

  /// Nil: there is no such message.
  static func stored(_ reply: NATSMessage, _ stream: String) throws(FleetError) -> Stored? {
    if reply.status == 404 { return nil }
    guard reply.status == nil, let sequence = reply.headers["Nats-Sequence"].flatMap({ UInt64($0) }),
      let subject = reply.headers["Nats-Subject"]
    else {
      throw FleetError("stream \(stream): \(reply.headers["Description"] ?? "an answer that is none")")
    }
    return Stored(sequence: sequence, subject: subject, data: reply.data)
  }

  /// When the stream took the first message from `sequence` on, in seconds since 1970; nil: there is none.
  func time(_ stream: String, from sequence: UInt64) throws(FleetError) -> Int64? {
    let reply = try connection.request("$JS.API.DIRECT.GET.\(stream)", Self.nextRequest(from: sequence, ">"))
    guard try Self.stored(reply, stream) != nil else { return nil }
    return reply.headers["Nats-Time-Stamp"].flatMap { Instant(rfc3339: $0) }?.seconds
  }

  /// The first message that the stream took since `time` (seconds since 1970), or the number of the next one to come. Found by
  /// halving, for messages are in the order of time.
  func firstSequence(_ stream: String, since time: Int64) throws(FleetError) -> UInt64 {
    guard let info = try self.stream(stream) else { throw FleetError("there is no stream \(stream)") }
    var (low, high) = (max(1, info.state.firstSeq), info.state.lastSeq + 1)
    while low < high {
      let middle = low + (high - low) / 2
      if let found = try self.time(stream, from: middle), found < time { low = middle + 1 } else { high = middle }
    }
    return low
  }

  // MARK: Errors

  struct APIError: Decodable, Sendable {
    var code: Int
    var errCode: Int?
    var description: String?
  }

  private struct Failure: Decodable { var error: APIError? }

  static func error(_ reply: NATSMessage) -> APIError? {
    (try? JSONInput.decode(Failure.self, from: reply.data))?.error
  }

  static func decode<Value: Decodable>(
    _ type: Value.Type, _ reply: NATSMessage, _ what: String
  ) throws(FleetError) -> Value {
    if let error = error(reply) {
      throw FleetError("\(what): \(error.description ?? "error \(error.code)") (\(error.code))")
    }
    do { return try JSONInput.decode(type, from: reply.data) } catch {
      throw FleetError("\(what): an answer that is not understood: \(error.description)")
    }
  }
}
