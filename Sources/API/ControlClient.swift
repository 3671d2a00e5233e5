import Glibc
public import Model
import NIOCore
import NIOHTTP1
import NIOPosix

/// The API's client: one connection a request, with a deadline. Every error it throws is a `ControlError`.
///
/// ```swift
/// let client = ControlClient(socket: "/run/bailiff/bailiff.sock")
/// for ban in try await client.bans() { print(ban.id) }
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

  public func status() async throws(ControlError) -> StatusReply {
    try await ControlJSON.decode(StatusReply.self, from: send(.GET, "/v1/status").readableBytesView)
  }

  public func bans(_ request: BansRequest = BansRequest()) async throws(ControlError) -> [BanReply] {
    let query = request.jail.map { "?jail=" + Self.percentEncoded($0) } ?? ""
    var body = try await send(.GET, "/v1/bans" + query)
    // One list is decoded in a fraction of the time that its lines take one by one.
    var list = Array("[".utf8)
    list += (body.readBytes(length: body.readableBytes) ?? []).map { $0 == 10 ? UInt8(ascii: ",") : $0 }
    if list.last == UInt8(ascii: ",") { list.removeLast() }
    list.append(UInt8(ascii: "]"))
    return try ControlJSON.decode([BanReply].self, from: list)
  }

  public func ban(_ request: BanRequest) async throws(ControlError) -> BannedReply {
    try await post("/v1/ban", request)
  }

  public func unban(_ request: UnbanRequest) async throws(ControlError) -> UnbannedReply {
    try await post("/v1/unban", request)
  }

  public func unbanAll(_ request: UnbanAllRequest = UnbanAllRequest()) async throws(ControlError) -> UnbannedReply {
    try await post("/v1/unban-all", request)
  }

  public func confirm(_ request: ConfirmRequest) async throws(ControlError) -> BannedReply {
    try await post("/v1/confirm", request)
  }

  public func reload() async throws(ControlError) -> ReloadReply {
    try await ControlJSON.decode(ReloadReply.self, from: send(.POST, "/v1/reload").readableBytesView)
  }

  private func post<Reply: Decodable>(_ path: String, _ request: some Encodable) async throws(ControlError) -> Reply {
    let body: ByteBuffer
    do { body = try ControlJSON.encode(request) } catch { throw ControlError(.invalid, "the request is no JSON") }
    return try await ControlJSON.decode(Reply.self, from: send(.POST, path, body: body).readableBytesView)
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
  /// Sends one request and returns the body of its answer.
  private func send(_ method: HTTPMethod, _ uri: String, body: ByteBuffer = ByteBuffer()) async throws(ControlError)
    -> ByteBuffer
  {
    guard !socket.isEmpty, socket.utf8.count <= SocketFile.longestPath else {
      throw ControlError(
        .invalid, "socket \(socket): a Unix socket's path has 1 to \(SocketFile.longestPath) bytes",
        remedy: "set a shorter `socket:`")
    }
    var head = HTTPRequestHead(version: .http1_1, method: method, uri: uri)
    head.headers.add(name: "Host", value: "bailiff")
    head.headers.add(name: "Connection", value: "close")
    head.headers.add(name: "Content-Length", value: "\(body.readableBytes)")
    if body.readableBytes > 0 { head.headers.add(name: "Content-Type", value: "application/json") }
    if let session { head.headers.add(name: "Bailiff-Session", value: "\(session)") }

    let threads = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    let answer: Result<ClientAnswer, any Error>
    do {
      answer = .success(try await exchange(head, body, on: threads.next()))
    } catch {
      answer = .failure(error)
    }
    try? await threads.shutdownGracefully()
    switch answer {
    case .failure(let error): throw describe(error)
    case .success(let answer) where answer.status == .ok: return answer.body
    case .success(let answer):
      // Whatever the daemon says is wrong with a request is the daemon's own error, kind and all.
      guard let reply = try? ControlJSON.decode(ErrorReply.self, from: answer.body.readableBytesView) else {
        throw ControlError(.failed, "the daemon answered \(answer.status.code) \(answer.status.reasonPhrase)")
      }
      throw reply.error
    }
  }

  private func exchange(_ head: HTTPRequestHead, _ body: ByteBuffer, on loop: any EventLoop) async throws
    -> ClientAnswer
  {
    let promise = loop.makePromise(of: ClientAnswer.self)
    let timeout = loop.scheduleTask(in: .seconds(deadline)) {
      promise.fail(ControlError(.deadline, "the daemon did not answer within \(deadline) s (socket \(socket))"))
    }
    promise.futureResult.whenComplete { _ in timeout.cancel() }
    ClientBootstrap(group: loop)
      .connectTimeout(.seconds(deadline))
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHTTPClientHandlers()
          try channel.pipeline.syncOperations.addHandler(ClientHandler(head: head, body: body, promise: promise))
        }
      }
      .connect(unixDomainSocketPath: socket)
      .whenFailure { promise.fail($0) }
    return try await promise.futureResult.get()
  }

  private func describe(_ error: any Error) -> ControlError {
    if let error = error as? ControlError { return error }
    guard let error = error as? IOError else {
      return ControlError(.failed, "the daemon's answer broke off (socket \(socket))")
    }
    return switch error.errnoCode {
    case ENOENT, ECONNREFUSED:
      ControlError(
        .notRunning, "the daemon is not there: nobody answers on socket \(socket)",
        remedy: "is `bailiff run` running, with the same --config?")
    case EACCES, EPERM:
      ControlError(
        .notPermitted, "socket \(socket) does not admit this user",
        remedy: "use sudo, or join the group that owns the socket")
    default: ControlError(.failed, "socket \(socket): \(systemMessage(error.errnoCode))")
    }
  }
}
