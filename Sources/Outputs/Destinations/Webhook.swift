internal import Curl
internal import JSON
internal import Model
internal import Settings
internal import System

/// An HTTP request for each message.
struct Webhook: Destination {
  let settings: WebhookSettings
  let version: String
  private let transfers = Transfers()

  init(_ settings: WebhookSettings, version: String) {
    self.settings = settings
    self.version = version
  }

  var batch: Int {
    switch settings.preset {
    case .json: settings.body?.isOfOneEvent == true ? 1 : 100
    case .pagerduty: 1
    default: 20
    }
  }

  var isForPeople: Bool { settings.preset != .json && settings.preset != .pagerduty }

  func deliver(_ message: Message) throws(DeliveryError) -> String {
    var transfer = try request(message)
    transfer.options = TransferOptions(settings.transport)
    transfer.headers.append(("User-Agent", "bailiff/\(version)"))
    for header in settings.headers { transfer.headers.append((header.name, try header.value.value())) }
    let response = try transfers.perform(transfer)
    return try Self.outcome(response)
  }

  /// What the receiver's status says (RFC 9110, section 15).
  static func outcome(_ response: HTTPTransfer.Response) throws(DeliveryError) -> String {
    let said = "\(response.status)\(excerpt(response.body))"
    switch response.status {
    case 200..<300: return said
    case 300..<400: throw .unreachable("\(said): it has moved; write the new address into `url`")
    case 400, 413, 414, 415, 422: throw .rejected(said)
    case 429, 503: throw .unreachable(said, after: RetryAfter.seconds(response))
    default: throw .unreachable(said)
    }
  }

  /// The beginning of an answer, on one line.
  private static func excerpt(_ body: [UInt8]) -> String {
    let text = String(decoding: body.prefix(400), as: UTF8.self).split(whereSeparator: \.isWhitespace).joined(
      separator: " ")
    return text.isEmpty ? "" : " " + printable(String(text.prefix(200)))
  }
}

/// How long a receiver wants to be left alone.
enum RetryAfter {
  /// Of the header field, in seconds or as a date (RFC 9110, 10.2.3), or of the JSON that Telegram and Discord send.
  static func seconds(_ response: HTTPTransfer.Response, now: Instant = SystemClock.now()) -> Double? {
    if let field = response.header("retry-after") {
      if let seconds = Double(field), seconds.isFinite, seconds >= 0 { return seconds }
      if let date = Instant(httpDate: field) { return max(0, Double(date.since(now).microseconds) / 1e6) }
    }
    guard let body = try? JSONInput.decode(Body.self, from: response.body),
      let seconds = body.retryAfter ?? body.parameters?.retryAfter, seconds.isFinite, seconds >= 0
    else { return nil }
    return seconds
  }

  private struct Body: Decodable {
    var retryAfter: Double?
    var parameters: Parameters?

    struct Parameters: Decodable { var retryAfter: Double? }
  }
}

extension Instant {
  /// `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110, 5.6.7); nil for anything else.
  init?(httpDate text: String) {
    let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    let parts = text.split(separator: " ")
    guard parts.count == 6, parts[5] == "GMT", let day = Int(parts[1]),
      let month = months.firstIndex(of: String(parts[2])), let year = Int(parts[3]), (1970...9999).contains(year)
    else { return nil }
    let time = parts[4].split(separator: ":").compactMap { Int($0) }
    guard time.count == 3 else { return nil }
    let civil = CivilTime(year: year, month: month + 1, day: day, hour: time[0], minute: time[1], second: time[2])
    guard civil.isValid else { return nil }
    self = civil.instant()
  }
}
