import Glibc
public import Model
import NIOCore
import System

/// The API's client: one connection a request, with a deadline. Every error it throws is a `ControlError`.
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

  public func status() throws(ControlError) -> StatusReply { try get("/v1/status") }

  public func bans(_ request: BansRequest = BansRequest()) throws(ControlError) -> [BanReply] {
    let query = request.jail.map { "?jail=" + Self.percentEncoded($0) } ?? ""
    let body = try send("GET", "/v1/bans" + query)
    // One list is decoded in a fraction of the time that its lines take one by one.
    var list = Array("[".utf8)
    list += body.map { $0 == UInt8(ascii: "\n") ? UInt8(ascii: ",") : $0 }
    if list.last == UInt8(ascii: ",") { list.removeLast() }
    list.append(UInt8(ascii: "]"))
    return try ControlJSON.decode([BanReply].self, from: list)
  }

  public func ban(_ request: BanRequest) throws(ControlError) -> BannedReply { try post("/v1/ban", request) }

  public func unban(_ request: UnbanRequest) throws(ControlError) -> UnbannedReply { try post("/v1/unban", request) }

  public func unbanAll(_ request: UnbanAllRequest = UnbanAllRequest()) throws(ControlError) -> UnbannedReply {
    try post("/v1/unban-all", request)
  }

  public func confirm(_ request: ConfirmRequest) throws(ControlError) -> BannedReply {
    try post("/v1/confirm", request)
  }

  public func reload() throws(ControlError) -> ReloadReply {
    try ControlJSON.decode(ReloadReply.self, from: send("POST", "/v1/reload"))
  }

  private func get<Reply: Decodable>(_ uri: String) throws(ControlError) -> Reply {
    try ControlJSON.decode(Reply.self, from: send("GET", uri))
  }

  private func post<Reply: Decodable>(_ path: String, _ request: some Encodable) throws(ControlError) -> Reply {
    let body: ByteBuffer
    do { body = try ControlJSON.encode(request) } catch { throw ControlError(.invalid, "the request is no JSON") }
    return try ControlJSON.decode(Reply.self, from: send("POST", path, body: Array(body.readableBytesView)))
  }

  private static func percentEncoded(_ text: String) -> String {
    text.utf8.map { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
        String(UnicodeScalar(byte))
      default: "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
      }
    }.joined()
  }
}

extension ControlClient {
  /// Some 300,000 bans; more is a daemon gone mad.
  private static let largestAnswer = 64 << 20

  /// Sends one request and returns the body of its answer.
  private func send(_ method: String, _ uri: String, body: [UInt8] = []) throws(ControlError) -> [UInt8] {
    guard !socket.isEmpty, socket.utf8.count <= SocketFile.longestPath else {
      throw ControlError(
        .invalid, "socket \(socket): a Unix socket's path has 1 to \(SocketFile.longestPath) bytes",
        remedy: "set a shorter `socket:`")
    }
    var headers: [(String, String)] = []
    if !body.isEmpty { headers.append(("Content-Type", "application/json")) }
    if let session { headers.append((bailiffSession, "\(session)")) }
    var answer: [UInt8] = []
    let status: Int
    do throws(ClientExchange.Failure) {
      let connection = try ClientConnection(socket, seconds: deadline)
      var exchange = try ClientExchange.begin(method, uri, headers: headers, body: body, over: connection)
      status = exchange.status
      while true {
        let piece = try exchange.next()
        if piece.isEmpty { break }
        answer += piece
        guard answer.count <= Self.largestAnswer else { break }
      }
    } catch {
      throw describe(error)
    }
    guard answer.count <= Self.largestAnswer else {
      throw ControlError(.failed, "the daemon's answer is larger than \(Self.largestAnswer >> 20) MiB")
    }
    guard status != 200 else { return answer }
    // Whatever the daemon says is wrong with a request is the daemon's own error, kind and all.
    guard let reply = try? ControlJSON.decode(ErrorReply.self, from: answer) else {
      throw ControlError(.failed, "the daemon answered \(status)")
    }
    throw reply.error
  }

  private func describe(_ failure: ClientExchange.Failure) -> ControlError {
    switch failure {
    case .deadline: ControlError(.deadline, "the daemon did not answer within \(deadline) s (socket \(socket))")
    case .closed: ControlError(.failed, "the daemon's answer broke off (socket \(socket))")
    case .connect(ENOENT), .connect(ECONNREFUSED):
      ControlError(
        .notRunning, "the daemon is not there: nobody answers on socket \(socket)",
        remedy: "is `bailiff run` running, with the same --config?")
    case .connect(EACCES), .connect(EPERM):
      ControlError(
        .notPermitted, "socket \(socket) does not admit this user",
        remedy: "use sudo, or join the group that owns the socket")
    case .connect(let code): ControlError(.failed, "socket \(socket): \(SystemError.text(code))")
    }
  }
}
