internal import AuditLog
internal import Curl
internal import JSON
internal import Model
internal import Settings
internal import System

/// A report for each ban, to a service that collects them: the address, when, and which jail; never a user's name or a line of a
/// log, which may hold one.
struct AbuseReport: Destination {
  let settings: AbuseSettings
  let version: String
  private let transfers = Transfers()

  init(_ settings: AbuseSettings, version: String) {
    self.settings = settings
    self.version = version
  }

  var batch: Int { 1 }

  func wants(_ event: Event) -> Bool { Self.isReportable(event) }

  /// What a jail found about one address of the Internet. A ban by hand is no report, and neither is a block: who in it did it is
  /// not known.
  static func isReportable(_ event: Event) -> Bool {
    let row = event.row
    guard row.kind == .ban, row.action == "ban", row.cause == "limit", let subnet = Identity(row.id).subnet else {
      return false
    }
    return subnet.isSingleAddress && !special.contains { $0.contains(subnet.base) }
  }

  /// Addresses that nobody on the Internet has (the registries of RFC 6890): nobody could be told of them.
  private static let special: [Subnet] = [
    "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
    "192.0.2.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/3", "::/127",
    "100::/64", "2001:db8::/32", "fc00::/7", "fe80::/10", "ff00::/8",
  ].compactMap { Subnet($0) }

  func deliver(_ message: Message) throws(DeliveryError) -> String {
    var transfer = message.isTest ? try trial() : try report(message.events[0].row)
    transfer.options = TransferOptions(settings.transport)
    transfer.headers.append(("User-Agent", "bailiff/\(version)"))
    let response = try transfers.perform(transfer)
    if settings.service == .abuseipdb, response.status == 422, Self.isRepetition(response) {
      return "reported within the last 15 minutes already"
    }
    return try Webhook.outcome(response)
  }

  private func report(_ row: AuditRow) throws(DeliveryError) -> HTTPTransfer {
    let comment = "\(counted(row.count, "failure")) in jail \(row.jail), by Bailiff"
    switch settings.service {
    case .abuseipdb:
      var transfer = form(
        "\(base)/report",
        [
          ("ip", row.id), ("categories", settings.categories.map(String.init).joined(separator: ",")),
          ("comment", comment), ("timestamp", row.time.rfc3339()),
        ])
      transfer.headers.append(("Key", try key()))
      return transfer
    case .xarf: preconditionFailure("a mail is no request")
    case .blocklistDe:
      return form(
        base,
        [
          ("server", settings.sender ?? ""), ("apikey", try key()), ("service", row.jail),
          ("ip", row.id), ("logs", "\(row.time.rfc3339()) \(row.id): \(comment)"), ("format", "text"),
        ])
    }
  }

  /// Whether the key is right, without a report: AbuseIPDB is asked about an address of its own documentation.
  private func trial() throws(DeliveryError) -> HTTPTransfer {
    guard settings.service == .abuseipdb else {
      throw .rejected("blocklist.de can only be tried with a real report; none was sent")
    }
    var transfer = HTTPTransfer("GET", "\(base)/check?ipAddress=127.0.0.2")
    transfer.headers = [("Key", try key()), ("Accept", "application/json")]
    return transfer
  }

  /// https://docs.abuseipdb.com/#report-endpoint, https://www.blocklist.de/en/httpreports.html
  private var base: String {
    switch settings.service {
    case .abuseipdb: settings.url ?? "https://api.abuseipdb.com/api/v2"
    case .xarf: ""
    case .blocklistDe: settings.url ?? "https://www.blocklist.de/en/httpreports.html"
    }
  }

  private func key() throws(DeliveryError) -> String { try settings.key?.value() ?? "" }

  private func form(_ url: String, _ fields: [(String, String)]) -> HTTPTransfer {
    let body = fields.map { "\($0)=\(URLPart.encoded($1))" }.joined(separator: "&")
    var transfer = HTTPTransfer("POST", url, body: Array(body.utf8))
    transfer.headers = [("Content-Type", "application/x-www-form-urlencoded"), ("Accept", "application/json")]
    return transfer
  }

  /// AbuseIPDB takes one report of an address in 15 minutes.
  private static func isRepetition(_ response: HTTPTransfer.Response) -> Bool {
    String(decoding: response.body, as: UTF8.self).contains("15 minutes")
  }
}
