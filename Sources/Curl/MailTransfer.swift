internal import CCurl

/// A mail, handed to a server by SMTP.
public struct MailTransfer: Sendable {
  public enum Security: String, Sendable, CaseIterable {
    /// TLS from the first byte (port 465).
    case tls
    /// STARTTLS, without which nothing is sent (port 587).
    case startTLS = "starttls"
    /// In the clear.
    case none
  }

  public var host: String
  public var port: Int
  public var security: Security
  /// Who logs in; nil: nobody.
  public var login: (user: String, password: String)?
  /// This machine's name, for EHLO.
  public var helo: String
  /// Addresses without names and brackets.
  public var sender: String
  public var recipients: [String]
  /// Header and body, each line ended by CRLF (RFC 5321, 2.3.8): libcurl sends a bare LF as it is, and doubles a leading dot only
  /// behind CRLF.
  public var message: [UInt8]
  public var options = TransferOptions()

  public init(
    host: String, port: Int, security: Security, login: (user: String, password: String)? = nil, helo: String,
    sender: String, recipients: [String], message: [UInt8]
  ) {
    self.host = host
    self.port = port
    self.security = security
    self.login = login
    self.helo = helo
    self.sender = sender
    self.recipients = recipients
    self.message = message
  }
}

extension CurlSession {
  /// Returns when the server has taken the mail for every recipient.
  public mutating func perform(_ mail: MailTransfer) throws(TransferError) {
    let isTLS = mail.security == .tls
    begin(mail.options, protocols: isTLS ? "smtps" : "smtp")
    let host = mail.host.contains(":") ? "[\(mail.host)]" : mail.host
    set("\(isTLS ? "smtps" : "smtp")://\(host):\(mail.port)/\(mail.helo)", CURLOPT_URL)
    set(Int(mail.security == .none ? CURLUSESSL_NONE.rawValue : CURLUSESSL_ALL.rawValue), CURLOPT_USE_SSL)
    if let login = mail.login {
      set(login.user, CURLOPT_USERNAME)
      set(login.password, CURLOPT_PASSWORD)
    }
    set("<\(mail.sender)>", CURLOPT_MAIL_FROM)
    set(1, CURLOPT_UPLOAD)
    let exchange = Exchange(limit: mail.options.limit, outgoing: mail.message)
    try run(exchange, list: mail.recipients.map { "<\($0)>" }, CURLOPT_MAIL_RCPT)
  }
}
