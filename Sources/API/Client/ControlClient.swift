import Glibc
import JSON
public import Model
import System

/// The API's client: one connection a request, with a deadline. Every error it throws is a `RequestError`.
///
/// ```swift
/// let client = ControlClient(socket: "/run/bailiff/bailiff.sock")
/// try client.bans { print($0.id) }
/// ```
public struct ControlClient: Sendable {
  public var socket: String
  /// Seconds from connecting to the last byte of the answer.
  public var deadline: Int64
  /// Where the operator's own session comes from, so that the daemon can refuse to lock it out.
  public var session: Address?

  public init(socket: String, deadline: Int64 = 10, session: Address? = nil) {
    self.socket = socket
    self.deadline = deadline
    self.session = session
  }

  public func status() throws(RequestError) -> StatusReply { try get("/api/v1/status") }

  /// Each ban, as the daemon sends it.
  public func bans(
    _ request: BansRequest = BansRequest(), _ body: ([BanReply]) throws(RequestError) -> Void
  ) throws(RequestError) {
    try lines("/api/v1/bans", [("jail", request.jail)], body)
  }

  /// The same as the daemon writes them, an object of JSON a line, in pieces.
  public func bansAsJSON(
    _ request: BansRequest = BansRequest(), _ body: (ArraySlice<UInt8>) throws(RequestError) -> Void
  ) throws(RequestError) {
    _ = try exchange("GET", Self.uri("/api/v1/bans", [("jail", request.jail)]), [], body)
  }

  public func ban(_ request: BanRequest) throws(RequestError) -> BannedReply { try post("/api/v1/ban", request) }

  public func unban(_ request: UnbanRequest) throws(RequestError) -> UnbannedReply {
    try post("/api/v1/unban", request)
  }

  public func unbanAll(_ request: UnbanAllRequest = UnbanAllRequest()) throws(RequestError) -> UnbannedReply {
    try post("/api/v1/unban-all", request)
  }

  public func confirm(_ request: ConfirmRequest) throws(RequestError) -> BannedReply {
    try post("/api/v1/confirm", request)
  }

  public func report(_ failure: FailureRequest) throws(RequestError) -> FailureReply {
    try post("/api/v1/failures", failure)
  }

  public func tokens(_ body: ([TokenReply]) throws(RequestError) -> Void) throws(RequestError) {
    try lines("/api/v1/tokens", [], body)
  }

  public func addToken(_ request: TokenRequest) throws(RequestError) -> NewTokenReply {
    try post("/api/v1/tokens", request)
  }

  public func revokeToken(_ name: String) throws(RequestError) -> RevokedReply {
    try decode(send("DELETE", "/api/v1/tokens/\(Self.percentEncoded(name))"))
  }

  /// Who may log in, page by page.
  public func users(_ body: ([UserReply]) throws(RequestError) -> Void) throws(RequestError) {
    try lines("/api/v1/users", [], body)
  }

  public func setUser(_ request: UserRequest) throws(RequestError) -> NewUserReply {
    try post("/api/v1/users", request)
  }

  public func removeUser(_ name: String) throws(RequestError) -> RevokedReply {
    try decode(send("DELETE", "/api/v1/users/\(Self.percentEncoded(name))"))
  }

  public func reload(_ request: ReloadRequest = ReloadRequest()) throws(RequestError) -> ReloadReply {
    try post("/api/v1/reload", request)
  }

  func get<Reply: Decodable>(_ uri: String) throws(RequestError) -> Reply {
    try decode(send("GET", uri))
  }

  func post<Reply: Decodable>(_ path: String, _ request: some Encodable) throws(RequestError) -> Reply {
    try decode(send("POST", path, body: JSONOutput.line(of: request)))
  }

  func decode<Reply: Decodable>(_ bytes: [UInt8]) throws(RequestError) -> Reply {
    do { return try JSONInput.decode(Reply.self, from: bytes) } catch {
      throw RequestError(.failed, "the daemon's answer is not what this program expects: \(error)")
    }
  }
}

extension ControlClient {
  /// What a reply that is not a list may hold.
  private static let largestReply = 64 << 20

  /// Sends one request and returns the body of its answer.
  func send(_ method: String, _ uri: String, body: [UInt8] = []) throws(RequestError) -> [UInt8] {
    var answer: [UInt8] = []
    _ = try exchange(method, uri, body) { piece throws(RequestError) in
      answer += piece
      guard answer.count <= Self.largestReply else {
        throw RequestError(.failed, "the daemon's answer is larger than \(Self.largestReply >> 20) MiB")
      }
    }
    return answer
  }

  /// Asks for an object a line; `body` gets them as they come, some thousand at a time. Returns the answer's headers.
  @discardableResult
  func lines<Reply: Decodable>(
    _ path: String, _ query: [(String, String?)], _ body: ([Reply]) throws(RequestError) -> Void
  ) throws(RequestError) -> [String: String] {
    // One list is decoded in a fraction of the time that its lines take one by one.
    var list = Array("[".utf8)
    func deliver(_ bytes: [UInt8]) throws(RequestError) {
      guard bytes.count > 1 else { return }
      try body(decode(bytes.map { $0 == UInt8(ascii: "\n") ? UInt8(ascii: ",") : $0 } + Array("]".utf8)))
    }
    let headers = try exchange("GET", Self.uri(path, query), []) { piece throws(RequestError) in
      list += piece
      guard list.count > 1 << 20, let end = list.lastIndex(of: UInt8(ascii: "\n")) else { return }
      try deliver(Array(list[..<end]))
      list = [UInt8(ascii: "[")] + list[(end + 1)...]
    }
    if list.last == UInt8(ascii: "\n") { list.removeLast() }
    try deliver(list)
    return headers
  }

  /// `path`, with those parameters that have a value.
  static func uri(_ path: String, _ query: [(String, String?)]) -> String {
    let pairs = query.compactMap { name, value in value.map { "\(name)=\(percentEncoded($0))" } }
    return pairs.isEmpty ? path : path + "?" + pairs.joined(separator: "&")
  }

  static func percentEncoded(_ text: String) -> String {
    text.utf8.map { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
        String(UnicodeScalar(byte))
      default: "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
      }
    }.joined()
  }

  /// Sends one request; `body` gets the pieces of its answer's body. Returns the answer's headers, by their names in small letters.
  private func exchange(
    _ method: String, _ uri: String, _ request: [UInt8], _ body: (ArraySlice<UInt8>) throws(RequestError) -> Void
  ) throws(RequestError) -> [String: String] {
    guard !socket.isEmpty, socket.utf8.count <= SocketFile.longestPath else {
      throw RequestError(
        .invalid, "socket \(socket): a Unix socket's path has 1 to \(SocketFile.longestPath) bytes",
        remedy: "set a shorter `socket:`")
    }
    var headers: [(String, String)] = []
    if !request.isEmpty { headers.append(("Content-Type", "application/json")) }
    if let session { headers.append((bailiffSession, "\(session)")) }
    var exchange = try begin(method, uri, headers, request)
    var refusal: [UInt8] = []
    while true {
      let piece: ArraySlice<UInt8>
      do throws(ClientExchange.Failure) { piece = try exchange.next() } catch { throw describe(error) }
      if piece.isEmpty { break }
      if exchange.status == 200 {
        try body(piece)
      } else if refusal.count < 1 << 20 {
        refusal += piece
      }
    }
    guard exchange.status != 200 else { return exchange.headers }
    // Whatever the daemon says is wrong with a request is the daemon's own error, kind and all.
    guard let reply = try? JSONInput.decode(ErrorReply.self, from: refusal) else {
      throw RequestError(.failed, "the daemon answered \(exchange.status)")
    }
    throw reply.error
  }

  private func begin(
    _ method: String, _ uri: String, _ headers: [(String, String)], _ body: [UInt8]
  ) throws(RequestError) -> ClientExchange {
    do throws(ClientExchange.Failure) {
      let connection = try ClientConnection(socket, seconds: deadline)
      return try ClientExchange.begin(method, uri, headers: headers, body: body, over: connection)
    } catch {
      throw describe(error)
    }
  }

  private func describe(_ failure: ClientExchange.Failure) -> RequestError {
    switch failure {
    case .deadline: RequestError(.deadline, "the daemon did not answer within \(deadline) s (socket \(socket))")
    case .closed: RequestError(.failed, "the daemon's answer broke off (socket \(socket))")
    case .connect(ENOENT), .connect(ECONNREFUSED):
      RequestError(
        .notRunning, "the daemon is not there: nobody answers on socket \(socket)",
        remedy: "is `bailiff run` running, with the same --config?")
    case .connect(EACCES), .connect(EPERM):
      RequestError(
        .notPermitted, "socket \(socket) does not admit this user",
        remedy: "use sudo, or join the group that owns the socket")
    case .connect(let code): RequestError(.failed, "socket \(socket): \(SystemError.text(code))")
    }
  }
}
