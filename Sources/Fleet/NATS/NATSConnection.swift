internal import CNATS
internal import Glibc
internal import Settings
internal import System

/// A connection to NATS: it reconnects by itself, for ever. No call waits longer than it is told to.
///
/// ```swift
/// let nats = try NATSConnection(settings)
/// let reply = try nats.request("$JS.API.INFO", [], seconds: 2)
/// ```
// Unchecked: libnats's connections may be used by several threads at once; the pointer is set in `init`.
@safe final class NATSConnection: @unchecked Sendable {
  private let library: NATSLibrary
  private let raw: OpaquePointer
  private let inboxes: String

  /// Returns also when no server answers yet.
  /// - Parameter role: what the servers' lists of connections call it.
  init(_ settings: FleetSettings, role: String) throws(FleetError) {
    library = try NATSLibrary.load()
    inboxes = Subject.inbox(settings)
    let functions = library.functions
    var options: OpaquePointer?
    // Safe: the library fills the pointer; it is destroyed below, once the connection has its copy.
    guard unsafe functions.options_create(&options) == BAILIFF_NATS_OK, let made = unsafe options else {
      throw FleetError("libnats has no memory")
    }
    defer { unsafe functions.options_destroy(made) }
    try unsafe Self.set(functions, made, settings, role)
    var connection: OpaquePointer?
    // Safe: filled by the library; destroyed by `deinit`.
    let status = unsafe functions.connect(&connection, made)
    guard status == BAILIFF_NATS_OK || status == BAILIFF_NATS_NOT_YET_CONNECTED, let connection = unsafe connection
    else { throw FleetError("NATS: \(Self.text(status, functions))", remedy: "look at `fleet` in the settings") }
    unsafe raw = connection
  }

  deinit {
    // Safe: made by `init`; nobody else has it.
    unsafe library.functions.destroy(raw)
  }

  private static func set(
    _ functions: bailiff_nats, _ options: OpaquePointer, _ settings: FleetSettings, _ role: String
  ) throws(FleetError) {
    func check(_ status: Int32, _ what: String) throws(FleetError) {
      guard status == BAILIFF_NATS_OK else { throw FleetError("\(what): \(text(status, functions))") }
    }
    // Safe, all of them: libnats copies texts; arrays live for the call.
    let status = unsafe withTexts(settings.servers) { servers in
      unsafe functions.set_servers(options, servers, Int32(settings.servers.count))
    }
    try check(status, "`servers`")
    try check(unsafe functions.set_name(options, "bailiff \(role) \(settings.site).\(settings.name)"), "`name`")
    if let user = settings.user, let secret = settings.password {
      let password: String
      do { password = try secret.read() } catch { throw FleetError("`password`: \(error.description)") }
      try check(unsafe functions.set_user(options, user, password), "`user`")
    }
    if let file = settings.credentials {
      try check(unsafe functions.set_credentials(options, file, nil), "`credentials`")
    }
    if settings.tls != nil || settings.servers.contains(where: { $0.hasPrefix("tls://") }) {
      try check(unsafe functions.set_secure(options, true), "`tls`")
    }
    if let file = settings.tls?.authority { try check(unsafe functions.load_authorities(options, file), "`tls.ca`") }
    if let certificate = settings.tls?.certificate, let key = settings.tls?.key {
      try check(unsafe functions.load_certificate(options, certificate, key), "`tls.certificate`")
    }
    // Replies come to a subject that permissions can name.
    try check(unsafe functions.set_inbox_prefix(options, Subject.inbox(settings)), "`name`")
    _ = unsafe functions.set_max_reconnect(options, -1)
    _ = unsafe functions.set_reconnect_wait(options, 1000)
    _ = unsafe functions.set_timeout(options, 5000)
    // A peer that vanished without a word is noticed after two of them.
    _ = unsafe functions.set_ping_interval(options, 10_000)
    _ = unsafe functions.set_pending(options, 1 << 20)
    unsafe withUnsafePointer(to: functions) {
      _ = unsafe bailiff_nats_retry($0, options)
      _ = unsafe bailiff_nats_quiet($0, options)
    }
  }

  /// Lends C texts.
  private static func withTexts(
    _ texts: [String], _ body: (UnsafeMutablePointer<UnsafePointer<CChar>?>) -> Int32
  ) -> Int32 {
    let copies = unsafe texts.map { unsafe strdup($0) }
    // Safe: made above, lent until here.
    defer { for index in unsafe copies.indices { unsafe free(copies[index]) } }
    var pointers = unsafe copies.map { unsafe UnsafePointer<CChar>($0) } + [nil]
    return unsafe pointers.withUnsafeMutableBufferPointer { unsafe body($0.baseAddress!) }
  }

  private static func text(_ status: Int32, _ functions: bailiff_nats) -> String {
    // Safe: a static text.
    unsafe functions.status_text(status).map { unsafe String(cString: $0) } ?? "error \(status)"
  }

  // MARK: State

  var isConnected: Bool {
    // Safe: a number of a connection that lives.
    unsafe library.functions.status(raw) == BAILIFF_NATS_CONNECTED
  }

  /// Has libnats given it up? It does so when a server refuses it twice (a password that is being changed), and now and then when
  /// servers come and go, whatever number of tries it was told.
  var isClosed: Bool {
    // Safe: a number of a connection that lives.
    unsafe library.functions.status(raw) == BAILIFF_NATS_CLOSED
  }

  /// What is wrong at present; nil: it is connected.
  var problem: String? {
    guard !isConnected else { return nil }
    var text: UnsafePointer<CChar>?
    // Safe: the text belongs to the connection and is copied at once.
    let status = unsafe library.functions.last_error(raw, &text)
    let detail = unsafe text.map { unsafe String(cString: $0) } ?? ""
    if !detail.isEmpty { return "no NATS server answers: \(detail)" }
    return status == BAILIFF_NATS_OK ? "no NATS server answers" : "NATS: \(Self.text(status, library.functions))"
  }

  /// - Throws: when it is not connected after this time.
  func wait(seconds: Double) throws(FleetError) {
    let end = monotonicSeconds() + seconds
    while let problem {
      guard monotonicSeconds() < end else {
        throw FleetError(problem, remedy: "look at `fleet` in the settings, and at the NATS servers")
      }
      ServiceThread.sleep(seconds: 0.02)
    }
  }

  // MARK: Messages

  /// Sends a message and waits for the answer.
  func request(
    _ subject: String, _ data: [UInt8], headers: [(String, String)] = [], seconds: Double = 5
  ) throws(FleetError) -> NATSMessage {
    // libnats would keep it for the next connection and report a timeout: it is said at once instead.
    if let problem { throw FleetError(problem) }
    let message = try unsafe make(subject, data, reply: nil, headers)
    // Safe: made above, destroyed here; the library does not take it over (natsConnection_RequestMsg).
    defer { unsafe library.functions.message_destroy(message) }
    var reply: OpaquePointer?
    let status = unsafe library.functions.request(&reply, raw, message, Int64(seconds * 1000))
    guard status == BAILIFF_NATS_OK, let reply = unsafe reply else {
      throw FleetError(
        status == BAILIFF_NATS_NO_RESPONDERS
          ? "nobody answers on \(subject): JetStream is off, has no leader, or this server may not"
          : "\(subject): \(Self.text(status, library.functions))")
    }
    return unsafe take(reply)
  }

  func publish(_ subject: String, _ data: [UInt8], reply: String? = nil, headers: [(String, String)] = [])
    throws(FleetError)
  {
    let message = try unsafe make(subject, data, reply: reply, headers)
    // Safe: made above, destroyed here; the library copies it into its buffer (natsConnection_PublishMsg).
    defer { unsafe library.functions.message_destroy(message) }
    let status = unsafe library.functions.publish(raw, message)
    guard status == BAILIFF_NATS_OK else { throw FleetError("\(subject): \(Self.text(status, library.functions))") }
  }

  /// Waits until the server has had everything that was published.
  func flush(seconds: Double = 5) throws(FleetError) {
    // Safe: a call on a connection that lives.
    let status = unsafe library.functions.flush(raw, Int64(seconds * 1000))
    guard status == BAILIFF_NATS_OK else { throw FleetError("NATS: \(Self.text(status, library.functions))") }
  }

  /// A subject for answers that nobody else listens to.
  func inbox() -> String { "\(inboxes).\(String(UInt64.random(in: .min ... .max), radix: 36))" }

  func subscribe(_ subject: String) throws(FleetError) -> NATSSubscription {
    var subscription: OpaquePointer?
    // Safe: filled by the library; the subscription destroys it.
    let status = unsafe library.functions.subscribe(&subscription, raw, subject)
    guard status == BAILIFF_NATS_OK, let made = unsafe subscription else {
      throw FleetError("\(subject): \(Self.text(status, library.functions))")
    }
    return unsafe NATSSubscription(self, made)
  }

  fileprivate func next(_ subscription: OpaquePointer, seconds: Double) throws(FleetError) -> NATSMessage? {
    var message: OpaquePointer?
    // Safe: filled by the library, and taken over by `take`.
    let status = unsafe library.functions.next(&message, subscription, max(1, Int64(seconds * 1000)))
    if status == BAILIFF_NATS_TIMEOUT { return nil }
    guard status == BAILIFF_NATS_OK, let message = unsafe message else {
      throw FleetError("NATS: \(Self.text(status, library.functions))")
    }
    return unsafe take(message)
  }

  fileprivate func end(_ subscription: OpaquePointer) {
    // Safe: made by `subscribe`, ended once.
    unsafe library.functions.unsubscribe(subscription)
  }

  private func make(
    _ subject: String, _ data: [UInt8], reply: String?, _ headers: [(String, String)]
  ) throws(FleetError) -> OpaquePointer {
    var message: OpaquePointer?
    // Safe: the library copies subject, reply and data; the caller destroys the message.
    let status = unsafe data.withUnsafeBytes { bytes in
      let start = unsafe bytes.baseAddress?.assumingMemoryBound(to: CChar.self)
      return unsafe library.functions.message_create(&message, subject, reply, start, Int32(bytes.count))
    }
    guard status == BAILIFF_NATS_OK, let made = unsafe message else {
      throw FleetError("\(subject): \(Self.text(status, library.functions))")
    }
    for (key, value) in headers {
      // Safe: both are copied.
      _ = unsafe library.functions.header_set(made, key, value)
    }
    return unsafe made
  }

  /// Copies a message and destroys it.
  private func take(_ message: OpaquePointer) -> NATSMessage {
    let functions = library.functions
    // Safe: texts and data belong to the message, which lives until the end of this function.
    defer { unsafe functions.message_destroy(message) }
    func text(_ pointer: UnsafePointer<CChar>?) -> String? { unsafe pointer.map { unsafe String(cString: $0) } }
    var headers: [String: String] = [:]
    for key in NATSMessage.headers {
      var value: UnsafePointer<CChar>?
      if unsafe functions.header_get(message, key, &value) == BAILIFF_NATS_OK { headers[key] = unsafe text(value) }
    }
    let count = unsafe Int(functions.message_count(message))
    let data = unsafe functions.message_data(message).map { start in
      unsafe [UInt8](UnsafeRawBufferPointer(start: start, count: count))
    }
    return NATSMessage(
      subject: unsafe text(functions.message_subject(message)) ?? "",
      reply: unsafe text(functions.message_reply(message)), data: data ?? [], headers: headers)
  }
}

/// A message that came.
struct NATSMessage: Sendable {
  var subject: String
  var reply: String?
  var data: [UInt8]
  var headers: [String: String]

  /// Those that are looked at.
  static let headers = ["Status", "Description", "Nats-Sequence", "Nats-Subject", "Nats-Time-Stamp"]

  /// A server's word about the request, in place of a message (404: nothing there, 408: time is over).
  var status: Int? { headers["Status"].flatMap { Int($0) } }
}

/// What comes on a subject, in order.
// Unchecked: libnats's subscriptions may be used by several threads; the pointer is set in `init`.
@safe final class NATSSubscription: @unchecked Sendable {
  private let connection: NATSConnection
  private let raw: OpaquePointer

  @unsafe fileprivate init(_ connection: NATSConnection, _ raw: OpaquePointer) {
    self.connection = connection
    unsafe self.raw = raw
  }

  deinit { unsafe connection.end(raw) }

  /// The next message; nil: none came in this time.
  /// - Throws: also once when messages were lost because nobody read them.
  func next(seconds: Double) throws(FleetError) -> NATSMessage? { try unsafe connection.next(raw, seconds: seconds) }
}
