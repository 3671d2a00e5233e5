/// Where an address is from: what the databases say, which is often right and never certain.
public struct GeoFacts: Hashable, Sendable {
  /// ISO 3166's code of two letters: `DE`.
  public var country: String?
  /// The autonomous system's number, and its name.
  public var network: UInt32?
  public var networkName: String?

  public init(country: String? = nil, network: UInt32? = nil, networkName: String? = nil) {
    self.country = country
    self.network = network
    self.networkName = networkName
  }

  public var isEmpty: Bool { country == nil && network == nil }

  /// `DE, AS64496 Example Net`; empty where nothing is known.
  public var text: String {
    let system = network.map { number in "AS\(number)" + (networkName.map { " \($0)" } ?? "") }
    return [country, system].compactMap { $0 }.joined(separator: ", ")
  }

  /// `64496` or `AS64496`.
  public static func networkNumber(_ text: some StringProtocol) -> UInt32? {
    let digits = text.lowercased().hasPrefix("as") ? text.dropFirst(2) : text[...]
    guard !digits.isEmpty, digits.utf8.allSatisfy({ (48...57).contains($0) }), let number = UInt32(digits), number > 0
    else { return nil }
    return number
  }
}
