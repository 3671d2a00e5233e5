import NIOCore
import NIOHTTP1

struct ClientAnswer: Sendable {
  var status: HTTPResponseStatus
  var body: ByteBuffer
}

/// Sends one request when connected and collects its answer. The promise is completed exactly once: NIO ignores what comes
/// after the first result.
final class ClientHandler: ChannelInboundHandler {
  typealias InboundIn = HTTPClientResponsePart
  typealias OutboundOut = HTTPClientRequestPart

  /// Some 300,000 bans; more is a daemon gone mad.
  static let largestAnswer = 64 << 20

  private let head: HTTPRequestHead
  private let body: ByteBuffer
  private let promise: EventLoopPromise<ClientAnswer>
  private var answer: ClientAnswer?

  init(head: HTTPRequestHead, body: ByteBuffer, promise: EventLoopPromise<ClientAnswer>) {
    self.head = head
    self.body = body
    self.promise = promise
  }

  func channelActive(context: ChannelHandlerContext) {
    context.write(wrapOutboundOut(.head(head)), promise: nil)
    if body.readableBytes > 0 { context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil) }
    context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .head(let head): answer = ClientAnswer(status: head.status, body: ByteBuffer())
    case .body(var part):
      guard (answer?.body.readableBytes ?? 0) + part.readableBytes <= Self.largestAnswer else {
        fail(context, ControlError(.failed, "the daemon's answer is larger than \(Self.largestAnswer >> 20) MiB"))
        return
      }
      answer?.body.writeBuffer(&part)
    case .end:
      if let answer { promise.succeed(answer) }
      context.close(promise: nil)
    }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { fail(context, error) }

  func channelInactive(context: ChannelHandlerContext) {
    promise.fail(ControlError(.failed, "the daemon closed the connection without an answer"))
    context.fireChannelInactive()
  }

  private func fail(_ context: ChannelHandlerContext, _ error: any Error) {
    promise.fail(error)
    context.close(promise: nil)
  }
}
