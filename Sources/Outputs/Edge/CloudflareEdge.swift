internal import Curl
internal import JSON
internal import Model
internal import Settings
internal import Synchronization
internal import System

/// Cloudflare's IP Access rules, those that bear this machine's note
/// (https://developers.cloudflare.com/api/resources/firewall/subresources/access_rules/).
struct CloudflareEdge: Edge {
  let settings: CloudflareSettings
  let version: String
  /// By which our own rules are known.
  private let note: String
  private let transfers = Transfers()

  init(_ settings: CloudflareSettings, host: String, version: String) {
    self.settings = settings
    self.version = version
    note = "bailiff \(host)"
  }

  private static let pageSize = 500

  func hold(_ bans: [Subnet]) throws(DeliveryError) -> String {
    let possible = Set(bans.filter { Self.target(of: $0) != nil })
    let rules = try self.rules()
    var held: Set<Subnet> = []
    var removed = 0
    for rule in rules {
      if let subnet = Subnet(rule.configuration.value), possible.contains(subnet), held.insert(subnet).inserted {
        continue
      }
      _ = try ask("DELETE", "/\(URLPart.encoded(rule.id))")
      removed += 1
    }
    let missing = possible.subtracting(held).sorted()
    for subnet in missing { try add(subnet) }
    let left = bans.count - possible.count
    return "\(counted(possible.count, "ban")) in Cloudflare's rules, \(missing.count) new, \(removed) removed"
      + (left > 0 ? "; it takes no blocks of other sizes than /16 and /24 (IPv6: /32, /48, /64): \(left) left out" : "")
  }

  private func rules() throws(DeliveryError) -> [Rule] {
    var rules: [Rule] = []
    var page = 1
    while true {
      let list: Reply<[Rule]> = try decode(
        ask("GET", "?page=\(page)&per_page=\(Self.pageSize)&notes=\(URLPart.encoded(note))"))
      rules += (list.result ?? []).filter { $0.notes == note }
      guard page < list.resultInfo?.totalPages ?? 1 else { return rules }
      page += 1
    }
  }

  private func add(_ subnet: Subnet) throws(DeliveryError) {
    let rule = NewRule(
      configuration: .init(target: Self.target(of: subnet) ?? "ip", value: "\(subnet)"), notes: note)
    _ = try ask("POST", "", body: JSONOutput.line(of: rule), taking: { $0.contains { $0.code == Self.duplicate } })
  }

  /// The rule is there already, of somebody else's making.
  private static let duplicate = 10009

  /// What kind of rule holds a block; nil: none does.
  static func target(of subnet: Subnet) -> String? {
    switch (subnet.isIPv4, subnet.prefixLength) {
    case (true, 32): "ip"
    case (false, 128): "ip6"
    case (true, 16), (true, 24), (false, 32), (false, 48), (false, 64): "ip_range"
    default: nil
    }
  }

  // MARK: Requests

  private func ask(
    _ method: String, _ path: String, body: [UInt8]? = nil,
    taking isFine: ([Reply<Nothing>.Problem]) -> Bool = { _ in false }
  ) throws(DeliveryError) -> [UInt8] {
    let scope =
      switch settings.scope {
      case .zone(let id): "zones/\(id)"
      case .account(let id): "accounts/\(id)"
      case .user: "user"
      }
    let base = settings.url ?? "https://api.cloudflare.com/client/v4"
    var transfer = HTTPTransfer(method, "\(base)/\(scope)/firewall/access_rules/rules\(path)", body: body)
    transfer.options = TransferOptions(settings.transport)
    transfer.options.limit = 4 << 20
    let token = try settings.token.value()
    transfer.headers =
      settings.email.map { [("X-Auth-Email", $0), ("X-Auth-Key", token)] } ?? [("Authorization", "Bearer \(token)")]
    transfer.headers += [("User-Agent", "bailiff/\(version)"), ("Content-Type", "application/json")]
    let response = try transfers.perform(transfer)
    if (200..<300).contains(response.status) { return response.body }
    let problems = (try? JSONInput.decode(Reply<Nothing>.self, from: response.body))?.errors ?? []
    if isFine(problems) { return response.body }
    let said = problems.first.map { ": \(printable($0.message)) (\($0.code))" } ?? ""
    throw .unreachable("Cloudflare: \(response.status)\(said)", after: RetryAfter.seconds(response))
  }

  private func decode<Value: Decodable>(_ bytes: [UInt8]) throws(DeliveryError) -> Value {
    do { return try JSONInput.decode(Value.self, from: bytes) } catch {
      throw .unreachable("Cloudflare's answer is not what was expected: \(error)")
    }
  }

  private struct Reply<Result: Decodable>: Decodable {
    var result: Result?
    var errors: [Problem]?
    var resultInfo: Pages?

    struct Problem: Decodable {
      var code: Int
      var message: String
    }
    struct Pages: Decodable { var totalPages: Int? }
  }

  private struct Nothing: Decodable {}

  private struct Rule: Decodable {
    var id: String
    var notes: String?
    var configuration: Configuration
  }

  private struct Configuration: Codable {
    var target: String
    var value: String
  }

  private struct NewRule: Encodable {
    var mode = "block"
    var configuration: Configuration
    var notes: String
  }
}
