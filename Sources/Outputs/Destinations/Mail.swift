internal import Curl
internal import Model
internal import Settings
internal import System

/// A mail for each message, by SMTP or by a program as sendmail(8).
struct Mail: Destination {
  let settings: MailSettings
  private let transfers = Transfers()

  init(_ settings: MailSettings) { self.settings = settings }

  var batch: Int { 100 }
  var isForPeople: Bool { true }

  func deliver(_ message: Message) throws(DeliveryError) -> String {
    let text = MailText(message, settings)
    return try send(text.lines, from: text.from, to: settings.to, host: message.host)
  }

  /// Lines of a whole mail in ASCII, without line ends but where a header goes on.
  func send(_ lines: [String], from: String, to: [String], host: String) throws(DeliveryError) -> String {
    let lines = lines.flatMap { $0.split(separator: "\n", omittingEmptySubsequences: false).map(String.init) }
    func bytes(_ lineEnd: String) -> [UInt8] { Array(lines.map { $0 + lineEnd }.joined().utf8) }
    switch settings.way {
    case .server(let server): return try send(bytes("\r\n"), server, from: from, to: to, host)
    case .sendmail(let path): return try run(path, bytes("\n"), from: from, to: to)
    }
  }

  private func send(
    _ bytes: [UInt8], _ server: MailSettings.MailServer, from: String, to: [String], _ host: String
  ) throws(DeliveryError) -> String {
    var login: (user: String, password: String)?
    if let user = server.user, let password = server.password { login = (user, try password.value()) }
    var transfer = MailTransfer(
      host: server.host, port: server.port, security: .init(rawValue: server.security.rawValue) ?? .tls, login: login,
      helo: MailText.domain(host), sender: from, recipients: to, message: bytes)
    transfer.options = TransferOptions(settings.transport)
    try transfers.perform(transfer)
    return "taken by \(server.host):\(server.port) for \(to.joined(separator: ", "))"
  }

  private func run(_ path: String, _ bytes: [UInt8], from: String, to: [String]) throws(DeliveryError) -> String {
    let arguments = ["-i", "-f", from, "--"] + to
    let result: Program.Result
    do {
      result = try Program(path: path, arguments: arguments).run(
        input: String(decoding: bytes, as: UTF8.self),
        deadline: Double(settings.transport.timeout.seconds))
    } catch { throw .unreachable("\(error)") }
    guard result.status == 0 else {
      let said = printable(String(result.errors.prefix(200)).trimmed)
      throw .unreachable("\(path) ended with \(result.status): \(said)")
    }
    return "taken by \(path)"
  }
}
