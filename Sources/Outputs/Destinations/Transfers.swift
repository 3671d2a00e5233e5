internal import Curl
internal import Model
internal import Settings
internal import Synchronization

/// A destination's connections, which stay open between messages.
final class Transfers: Sendable {
  private let session = Mutex<CurlSession?>(nil)

  func perform(_ transfer: HTTPTransfer) throws(DeliveryError) -> HTTPTransfer.Response {
    try use { (session) throws(TransferError) in try session.perform(transfer) }
  }

  func perform(_ mail: MailTransfer) throws(DeliveryError) {
    try use { (session) throws(TransferError) in try session.perform(mail) }
  }

  func send(_ bytes: [UInt8], toHost host: String, port: Int, isTLS: Bool, options: TransferOptions)
    throws(DeliveryError)
  {
    try use { (session) throws(TransferError) in
      try session.send(bytes, toHost: host, port: port, isTLS: isTLS, options: options)
    }
  }

  private func use<Result>(_ body: (inout CurlSession) throws(TransferError) -> Result) throws(DeliveryError) -> Result
  {
    do throws(TransferError) {
      return try session.withLock { (held) throws(TransferError) in
        var session = if let kept = held.take() { kept } else { try CurlSession() }
        do throws(TransferError) {
          let result = try body(&session)
          held = consume session
          return result
        } catch {
          // A session that met an error is not used again.
          throw error
        }
      }
    } catch { throw DeliveryError(error) }
  }
}

extension DeliveryError {
  init(_ error: TransferError) {
    self =
      switch error.kind {
      case .invalid, .tooLarge: .rejected(error.message)
      // 5yz is a mail server's last word on this mail; a log-in or a sender that it does not take can be put right.
      case .refused(let code) where code >= 550: .rejected(error.message)
      default: .unreachable(error.message)
      }
  }
}

extension Secret {
  /// A secret that cannot be read may be readable later.
  func value() throws(DeliveryError) -> String {
    do { return try read() } catch { throw .unreachable(error.description) }
  }
}

extension TransferOptions {
  init(_ settings: TransportSettings) {
    self.init()
    timeout = max(1, Int(settings.timeout.seconds))
    connectTimeout = min(10, timeout)
    authority = settings.authority
    proxy = settings.proxy
  }
}
