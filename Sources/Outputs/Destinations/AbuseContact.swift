internal import Curl
internal import JSON
internal import Model
internal import Settings

/// Who answers for the abuse of an address's network, by RDAP (RFC 9082, 3.1.1; RFC 9083, 5.1 and 5.4).
struct AbuseContact: Sendable {
  /// Redirects to the registry whose address it is (https://about.rdap.org).
  static let bootstrap = "https://rdap.org/ip"

  let url: String
  let transport: TransportSettings

  /// Mail addresses; empty: the registry knows none.
  func addresses(of address: String, _ transfers: Transfers) throws(DeliveryError) -> [String] {
    var transfer = HTTPTransfer("GET", "\(url)/\(URLPart.encoded(address))")
    transfer.headers = [("Accept", "application/rdap+json")]
    transfer.redirects = 5
    transfer.options = TransferOptions(transport)
    transfer.options.limit = 1 << 20
    let response = try transfers.perform(transfer)
    switch response.status {
    case 200: return Self.addresses(in: response.body)
    // Nobody has that network.
    case 404: return []
    default: throw .unreachable("RDAP: \(response.status)", after: RetryAfter.seconds(response))
    }
  }

  static func addresses(in body: [UInt8]) -> [String] {
    guard let network = try? JSONInput.decode(Entity.self, from: body) else { return [] }
    var found: [String] = []
    for address in network.abuse(depth: 0) where isAddress(address) && !found.contains(address) {
      found.append(address)
    }
    return Array(found.prefix(5))
  }

  /// It becomes part of a mail's header and envelope.
  private static func isAddress(_ text: String) -> Bool {
    let parts = text.split(separator: "@", omittingEmptySubsequences: false)
    return parts.count == 2 && parts.allSatisfy { !$0.isEmpty } && text.utf8.count <= 254 && !text.hasPrefix("-")
      && text.utf8.allSatisfy { $0 > 32 && $0 < 127 && !"<>,;:\"\\()[]".utf8.contains($0) }
  }

  /// A network, or somebody who has to do with it.
  private struct Entity: Decodable {
    var roles: [String]?
    var entities: [Entity]?
    var vcardArray: Card?

    func abuse(depth: Int) -> [String] {
      let own = roles?.contains("abuse") == true ? vcardArray?.mails ?? [] : []
      return own + (depth < 4 ? entities ?? [] : []).flatMap { $0.abuse(depth: depth + 1) }
    }
  }

  /// `["vcard", [["email", {}, "text", "abuse@example.org"], …]]` (RFC 7095).
  private struct Card: Decodable {
    var mails: [String] = []

    init(from decoder: any Decoder) throws {
      var card = try decoder.unkeyedContainer()
      _ = try card.decode(String.self)
      var properties = try card.nestedUnkeyedContainer()
      while !properties.isAtEnd {
        var property = try properties.nestedUnkeyedContainer()
        guard (try? property.decode(String.self))?.lowercased() == "email" else { continue }
        _ = try? property.decode([String: Ignored].self)
        _ = try? property.decode(String.self)
        if let address = try? property.decode(String.self) { mails.append(address) }
      }
    }
  }

  /// Parameters, whatever they are.
  private struct Ignored: Decodable {
    init(from decoder: any Decoder) throws {}
  }
}
