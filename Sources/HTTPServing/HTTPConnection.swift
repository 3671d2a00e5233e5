internal import Model
internal import NIOCore
internal import NIOHTTP1

/// One client's connection: receives a request whole, has it answered, and goes on with the next.
///
/// NIO's pipeline handler in front of it holds back what a client sends before it has its answer. What the client may cost is
/// bounded by `HTTPLimits`; the server calls `expire` when a deadline has passed.
final class HTTPConnection: ChannelInboundHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias OutboundOut = HTTPServerResponsePart

  private enum Phase {
    /// For a request's head.
    case waiting
    /// The rest of a request.
    case receiving(HTTPRequest, Router.Match, bodyLimit: Int)
    /// The request is whole, and its answer not yet sent.
    case answering
    /// Answered before the request's end, or for good: what still comes is dropped.
    case lingering
  }

  private let router: Router
  private let limits: HTTPLimits
  private let failures: HTTPFailures
  private var phase = Phase.waiting
  private var peer: HTTPPeer?
  private var context: ChannelHandlerContext?
  private var task: Task<Void, Never>?
  private var endsWithClient = false
  private var isHead = false
  private var keepsAlive = false
  private var version = HTTPVersion.http1_1
  private var dropped = 0
  private var isStopping = false
  /// When `expire` is due.
  private(set) var deadline = NIODeadline.distantFuture

  init(_ router: Router, _ limits: HTTPLimits, _ failures: HTTPFailures) {
    self.router = router
    self.limits = limits
    self.failures = failures
  }

  func handlerAdded(context: ChannelHandlerContext) {
    self.context = context
    deadline = .now() + limits.idle
  }

  func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

  func channelInactive(context: ChannelHandlerContext) {
    task?.cancel()
    context.fireChannelInactive()
  }

  // MARK: Receiving

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .head(let head): begin(head, context)
    case .body(let part): receive(part, context)
    case .end: complete(context)
    }
  }

  private func begin(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
    guard case .waiting = phase else { return }
    isHead = head.method == .HEAD
    version = head.version
    keepsAlive = head.isKeepAlive && !isStopping
    deadline = .now() + limits.receive
    let request: HTTPRequest
    do {
      request = try HTTPRequest(head, peer: peer(context))
    } catch {
      refuse(failures.badRequest, context)
      return
    }
    let match = router.match(head.method, request.path)
    let limit = if case .route(let route) = match { route.bodyLimit } else { limits.headerList }
    let announced = head.headers.first(name: "Content-Length").flatMap { Int($0) } ?? 0
    phase = .receiving(request, match, bodyLimit: limit)
    guard announced <= limit else {
      refuse(response(match, tooLarge: limit), context)
      return
    }
    deadline = deadline + .seconds(Int64(announced / limits.bodyRate))
    guard head.headers.first(name: "Expect")?.lowercased() == "100-continue" else { return }
    guard case .route = match else {
      refuse(response(match, tooLarge: limit), context)
      return
    }
    context.writeAndFlush(wrapOutboundOut(.head(HTTPResponseHead(version: version, status: .continue))), promise: nil)
  }

  private func receive(_ part: ByteBuffer, _ context: ChannelHandlerContext) {
    switch phase {
    case .receiving(var request, let match, let limit):
      guard request.body.readableBytes + part.readableBytes <= limit else {
        refuse(response(match, tooLarge: limit), context)
        return
      }
      // The buffer is not shared while it grows.
      phase = .answering
      request.body.writeImmutableBuffer(part)
      phase = .receiving(request, match, bodyLimit: limit)
    case .lingering: drop(part.readableBytes, context)
    case .waiting, .answering: break
    }
  }

  private func complete(_ context: ChannelHandlerContext) {
    guard case .receiving(let request, let match, let limit) = phase else { return }
    phase = .answering
    deadline = .distantFuture
    guard case .route(let route) = match else {
      respond(response(match, tooLarge: limit), context)
      return
    }
    switch route.handler {
    case .immediate(let handle): respond(handle(request), context)
    case .waiting(let handle):
      let connection = NIOLoopBound(self, eventLoop: context.eventLoop)
      let eventLoop = context.eventLoop
      task = Task {
        let response = await handle(request)
        eventLoop.execute {
          guard let context = connection.value.context else { return }
          connection.value.respond(response, context)
        }
      }
    }
  }

  private func response(_ match: Router.Match, tooLarge limit: Int) -> HTTPResponse {
    switch match {
    case .route: failures.tooLarge(limit)
    case .notFound: failures.notFound
    case .notAllowed(let methods): failures.notAllowed(methods)
    }
  }

  private func peer(_ context: ChannelHandlerContext) -> HTTPPeer {
    if let peer { return peer }
    let found = HTTPPeer(context.channel)
    peer = found
    return found
  }

  // MARK: Answering

  private func respond(_ response: HTTPResponse, _ context: ChannelHandlerContext) {
    task = nil
    keepsAlive = keepsAlive && !isStopping
    var head = HTTPResponseHead(version: version, status: response.status, headers: response.headers)
    if !keepsAlive { head.headers.replaceOrAdd(name: "Connection", value: "close") }
    switch response.body {
    case .bytes(let bytes):
      if response.status.mayHaveResponseBody {
        head.headers.replaceOrAdd(name: "Content-Length", value: "\(bytes.readableBytes)")
      }
      context.write(wrapOutboundOut(.head(head)), promise: nil)
      if !isHead, bytes.readableBytes > 0 { context.write(wrapOutboundOut(.body(.byteBuffer(bytes))), promise: nil) }
      finish(context)
    case .stream(let endsWithClient, let write):
      // Without chunks, its end is the connection's: for HTTP/1.0, and for HEAD, whose answer has none.
      if version != .http1_1 || isHead {
        head.version = .http1_0
        keepsAlive = false
        head.headers.replaceOrAdd(name: "Connection", value: "close")
      }
      context.write(wrapOutboundOut(.head(head)), promise: nil)
      guard !isHead else {
        finish(context)
        return
      }
      context.flush()
      self.endsWithClient = endsWithClient
      stream(write, context)
    }
  }

  private func stream(
    _ write: @escaping @Sendable (ResponseStream) async throws -> Void, _ context: ChannelHandlerContext
  ) {
    let stream = ResponseStream(self, on: context.eventLoop)
    let connection = NIOLoopBound(self, eventLoop: context.eventLoop)
    let eventLoop = context.eventLoop
    task = Task {
      let isWhole: Bool
      do {
        try await write(stream)
        isWhole = true
      } catch {
        isWhole = false
      }
      eventLoop.execute {
        guard let context = connection.value.context else { return }
        connection.value.task = nil
        if isWhole { connection.value.finish(context) } else { context.close(promise: nil) }
      }
    }
  }

  /// One piece of a stream; done when the socket has taken it.
  func send(_ bytes: ByteBuffer) -> EventLoopFuture<Void> {
    guard let context else {
      preconditionFailure("NIOLoopBound keeps this on the event loop, and a removed handler has no stream")
    }
    deadline = .now() + limits.send
    let sent = context.eventLoop.makePromise(of: Void.self)
    context.writeAndFlush(wrapOutboundOut(.body(.byteBuffer(bytes))), promise: sent)
    let connection = NIOLoopBound(self, eventLoop: context.eventLoop)
    sent.futureResult.whenComplete { _ in connection.value.deadline = .distantFuture }
    return sent.futureResult
  }

  private func finish(_ context: ChannelHandlerContext) {
    endsWithClient = false
    deadline = .now() + limits.send
    phase = keepsAlive ? .waiting : .lingering
    let sent = context.eventLoop.makePromise(of: Void.self)
    let connection = NIOLoopBound(self, eventLoop: context.eventLoop)
    sent.futureResult.whenComplete { _ in connection.value.hasSent() }
    context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: sent)
  }

  private func hasSent() {
    guard let context else { return }
    switch phase {
    case .waiting: deadline = .now() + limits.idle
    case .lingering: context.close(promise: nil)
    case .receiving, .answering: break
    }
  }

  /// Answers before the request's end. The client may still be sending: it is read from for a moment, since closing at once
  /// would reset the connection and with it the answer (RFC 9112, 9.6).
  private func refuse(_ response: HTTPResponse, _ context: ChannelHandlerContext) {
    phase = .lingering
    keepsAlive = false
    guard case .bytes(let bytes) = response.body else { return }
    var head = HTTPResponseHead(version: version, status: response.status, headers: response.headers)
    head.headers.replaceOrAdd(name: "Connection", value: "close")
    head.headers.replaceOrAdd(name: "Content-Length", value: "\(bytes.readableBytes)")
    context.write(wrapOutboundOut(.head(head)), promise: nil)
    if !isHead { context.write(wrapOutboundOut(.body(.byteBuffer(bytes))), promise: nil) }
    deadline = .now() + limits.linger
    context.writeAndFlush(wrapOutboundOut(.end(nil))).whenComplete { [channel = context.channel] _ in
      channel.close(mode: .output, promise: nil)
    }
  }

  private func drop(_ count: Int, _ context: ChannelHandlerContext) {
    dropped += count
    if dropped > limits.lingerBytes { context.close(promise: nil) }
  }

  // MARK: Ending

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    guard let event = event as? ChannelEvent, event == .inputClosed else {
      context.fireUserInboundEventTriggered(event)
      return
    }
    switch phase {
    case .waiting, .lingering: context.close(promise: nil)
    case .answering:
      keepsAlive = false
      if endsWithClient { context.close(promise: nil) }
    // The decoder reports that the request is not whole.
    case .receiving: break
    }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    switch phase {
    case .waiting where error is HTTPParserError, .receiving where error is HTTPParserError:
      refuse(failures.badRequest, context)
    default: context.close(promise: nil)
    }
  }

  func expire() {
    guard let context else { return }
    switch phase {
    case .receiving: refuse(failures.timeout, context)
    case .waiting, .answering, .lingering: context.close(promise: nil)
    }
  }

  /// Ends when what is under way is answered.
  func stop() {
    isStopping = true
    if case .waiting = phase { context?.close(promise: nil) }
    // A stream of events has no end of its own.
    if endsWithClient { context?.close(promise: nil) }
  }
}

extension HTTPPeer {
  /// Asked on the channel's own thread, since only there its descriptor is sure to be open.
  fileprivate init(_ channel: any Channel) {
    if let text = channel.remoteAddress?.ipAddress, let address = Address(Substring(text)) {
      self = .remote(address)
      return
    }
    let credentials = try? channel.pipeline.syncOperations.withUnsafeTransportIfAvailable(of: CInt.self) { socket in
      PeerCredentials(socket: socket)
    }
    self = .local(credentials ?? nil)
  }
}
