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
    switch settings.way {
    case .server(let server): return try send(text, server, message.host)
    case .sendmail(let path): return try run(path, text)
    }
  }

  private func send(_ text: MailText, _ server: MailSettings.MailServer, _ host: String) throws(DeliveryError) -> String
  {
    var login: (user: String, password: String)?
    if let user = server.user, let password = server.password { login = (user, try password.value()) }
    var transfer = MailTransfer(
      host: server.host, port: server.port, security: .init(rawValue: server.security.rawValue) ?? .tls, login: login,
      helo: MailText.domain(host), sender: text.from, recipients: settings.to, message: text.bytes(lineEnd: "\r\n"))
    transfer.options = TransferOptions(settings.transport)
    try transfers.perform(transfer)
    return "taken by \(server.host):\(server.port) for \(settings.to.joined(separator: ", "))"
  }

  private func run(_ path: String, _ text: MailText) throws(DeliveryError) -> String {
    let arguments = ["-i", "-f", text.from, "--"] + settings.to
    let result: Program.Result
    do {
      result = try Program(path: path, arguments: arguments).run(
        input: String(decoding: text.bytes(lineEnd: "\n"), as: UTF8.self),
        deadline: Double(settings.transport.timeout.seconds))
    } catch { throw .unreachable("\(error)") }
    guard result.status == 0 else {
      let said = printable(String(result.errors.prefix(200)).trimmed)
      throw .unreachable("\(path) ended with \(result.status): \(said)")
    }
    return "taken by \(path)"
  }
}
