internal import AuditLog
internal import Curl
internal import JSON
internal import Model
internal import Settings
internal import System

extension Webhook {
  /// The request as the service that is asked wants it; each form is the service's own documentation's.
  func request(_ message: Message) throws(DeliveryError) -> HTTPTransfer {
    let url = try settings.url.value()
    switch settings.preset {
    case .json: return plain(message, url)
    case .slack: return Self.json("POST", url, Slack(text: Slack.text(message)))
    case .discord: return Self.json("POST", url, Discord(content: message.headed(limit: 1900)))
    case .telegram:
      let address = "\(url.withoutSlash)/bot\(try token())/sendMessage"
      return Self.json("POST", address, Telegram(chatID: settings.recipient ?? "", text: message.headed(limit: 4000)))
    case .ntfy: return try ntfy(message, url)
    case .gotify:
      var transfer = Self.json(
        "POST", "\(url.withoutSlash)/message",
        Gotify(title: message.title, message: message.text(limit: 4000), priority: message.severity.gotify))
      transfer.headers.append(("X-Gotify-Key", try token()))
      return transfer
    case .matrix:
      let room = URLPart.encoded(settings.recipient ?? "")
      // The same message under the same id is shown once.
      let transaction = URLPart.encoded("bailiff-\(message.output)-\(message.key)")
      var transfer = Self.json(
        "PUT", "\(url.withoutSlash)/_matrix/client/v3/rooms/\(room)/send/m.room.message/\(transaction)",
        Matrix(body: message.headed(limit: 30_000)))
      transfer.headers.append(("Authorization", "Bearer \(try token())"))
      return transfer
    case .pagerduty: return Self.json("POST", url, PagerDuty(message, key: try token()))
    }
  }

  private func token() throws(DeliveryError) -> String { try settings.token?.value() ?? "" }

  private static func json(_ method: String, _ url: String, _ body: some Encodable) -> HTTPTransfer {
    var transfer = HTTPTransfer(method, url, body: JSONOutput.line(of: body))
    transfer.headers = [("Content-Type", "application/json")]
    return transfer
  }

  private func plain(_ message: Message, _ url: String) -> HTTPTransfer {
    let isJSON = settings.contentType.hasPrefix("application/json")
    let body =
      settings.body.map { Array(message.render($0, escaping: isJSON ? .json : .none).utf8) }
      ?? JSONOutput.line(of: Envelope(message))
    var transfer = HTTPTransfer(settings.method, url, body: settings.method == "GET" ? nil : body)
    transfer.headers = [("Content-Type", settings.contentType), ("Idempotency-Key", message.key)]
    return transfer
  }

  /// https://docs.ntfy.sh/publish/
  private func ntfy(_ message: Message, _ url: String) throws(DeliveryError) -> HTTPTransfer {
    var transfer = HTTPTransfer("POST", url, body: Array(message.text(limit: 3900).utf8))
    transfer.headers = [
      ("Title", String(message.title.prefix(200))), ("Priority", "\(message.severity.ntfy)"), ("Tags", "cop"),
    ]
    if settings.token != nil { transfer.headers.append(("Authorization", "Bearer \(try token())")) }
    return transfer
  }
}

extension Message {
  /// The title, where it tells more than the text, and the text.
  fileprivate func headed(limit: Int) -> String {
    guard events.count > 1 else { return String(title.prefix(limit)) }
    return title + "\n" + text(limit: limit - title.count)
  }
}

extension OutputSettings.Severity {
  /// 1 to 5.
  fileprivate var ntfy: Int {
    switch self {
    case .info: 2
    case .notice: 3
    case .warning: 4
    case .critical: 5
    }
  }

  /// 0 to 10.
  fileprivate var gotify: Int {
    switch self {
    case .info: 2
    case .notice: 5
    case .warning: 7
    case .critical: 10
    }
  }

  fileprivate var pagerduty: String {
    switch self {
    case .info, .notice: "info"
    case .warning: "warning"
    case .critical: "critical"
    }
  }
}

/// Without a preset.
private struct Envelope: Encodable {
  var host: String
  var output: String
  var severity: String
  var title: String
  var count: Int
  var events: [AuditRow]

  init(_ message: Message) {
    host = message.host
    output = message.output
    severity = message.severity.rawValue
    title = message.title
    count = message.events.count
    events = message.events.map(\.row)
  }
}

/// https://docs.slack.dev/messaging/formatting-message-text: three characters are escaped, so nobody is called by `<!channel>`.
/// Mattermost and Rocket.Chat take the same.
private struct Slack: Encodable {
  var text: String

  static func text(_ message: Message) -> String {
    message.headed(limit: 3500).replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
  }
}

/// https://discord.com/developers/docs/resources/webhook#execute-webhook
private struct Discord: Encodable {
  var content: String
  /// Nobody is called, whatever an attacker wrote.
  var allowedMentions = Mentions()

  struct Mentions: Encodable { var parse: [String] = [] }
}

/// https://core.telegram.org/bots/api#sendmessage
private struct Telegram: Encodable {
  var chatID: String
  var text: String
  var disableWebPagePreview = true
}

/// https://gotify.net/docs/pushmsg
private struct Gotify: Encodable {
  var title: String
  var message: String
  var priority: Int
}

/// https://spec.matrix.org/latest/client-server-api/#mroommessage
private struct Matrix: Encodable {
  var body: String
  var msgtype = "m.text"
  var mentions = Mentions()

  struct Mentions: Encodable {
    var userIDs: [String] = []
    enum CodingKeys: String, CodingKey { case userIDs = "user_ids" }
  }
  enum CodingKeys: String, CodingKey {
    case body, msgtype
    case mentions = "m.mentions"
  }
}

/// https://developer.pagerduty.com/docs/events-api-v2/trigger-events
private struct PagerDuty: Encodable {
  var routingKey: String
  var eventAction: String
  var dedupKey: String
  var payload: Payload

  struct Payload: Encodable {
    var summary: String
    var source: String
    var severity: String
    var timestamp: String
    var component = "bailiff"
    var customDetails: AuditRow
  }

  init(_ message: Message, key: String) {
    let event = message.events[0]
    routingKey = key
    eventAction = event.isEnd ? "resolve" : "trigger"
    dedupKey = "bailiff/\(message.host)/\(event.incident)"
    payload = Payload(
      summary: String(message.title.prefix(1000)), source: message.host, severity: event.severity.pagerduty,
      timestamp: event.row.time.rfc3339(), customDetails: event.row)
  }
}

/// Parts of a URL's path.
enum URLPart {
  /// Everything but letters, digits, `-`, `.`, `_` and `~` percent-encoded (RFC 3986, 2.3).
  static func encoded(_ text: String) -> String {
    var result = ""
    for byte in text.utf8 {
      switch byte {
      case 48...57, 65...90, 97...122, UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"):
        result.unicodeScalars.append(Unicode.Scalar(byte))
      default: result += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
      }
    }
    return result
  }
}

extension String {
  fileprivate var withoutSlash: String { hasSuffix("/") ? String(dropLast()) : self }
}
