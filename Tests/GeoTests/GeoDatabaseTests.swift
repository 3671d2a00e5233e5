import Foundation
import Geo
import Model
import TestSupport
import Testing

/// Databases of countries and networks, with documentation's addresses and numbers (RFC 5737, RFC 3849, RFC 5398).
@Suite struct GeoDatabaseTests {
  private let directory: TestDirectory

  init() throws { directory = try TestDirectory("geo") }

  private func country(_ code: String) -> MMDBWriter.Value { ["country": ["iso_code": .text(code)]] }

  /// Bits of a database as MaxMind writes it, IPv4 aliases included.
  private func countries() throws -> String {
    var writer = MMDBWriter(type: "Test-Country")
    writer.add("198.51.100.0/24", country("DE"))
    writer.add("198.51.100.64/26", country("NO"))
    writer.add("203.0.113.0/25", country("DE"))
    writer.add("203.0.113.128/25", country("DE"))
    writer.add("2001:db8::/33", country("DE"))
    writer.add("2001:db8:8000::/33", country("NO"))
    writer.addAliases()
    let path = directory.path + "/country.mmdb"
    try writer.write(to: path)
    return path
  }

  private func networks(isIPv6: Bool = true) throws -> String {
    var writer = MMDBWriter(type: "Test-ASN", isIPv6: isIPv6)
    writer.add(
      "198.51.100.0/24",
      ["autonomous_system_number": 64496, "autonomous_system_organization": "Example Net"])
    writer.add("203.0.113.0/24", ["asn": "AS64497", "as_name": "Another", "country_code": "no"])
    let path = directory.path + "/network.mmdb"
    try writer.write(to: path)
    return path
  }

  private func blocks(_ subnets: [Subnet]) -> [String] { AddressList(subnets).entries.map(\.description) }

  @Test func aCountryIsItsBlocksAndTheNeighboursAreJoined() throws {
    let database = try GeoDatabase(path: countries())
    #expect(
      blocks(try database.subnets(countries: ["DE"])) == [
        "198.51.100.0/26", "198.51.100.128/25", "203.0.113.0/24", "2001:db8::/33",
      ])
    #expect(blocks(try database.subnets(countries: ["NO"])) == ["198.51.100.64/26", "2001:db8:8000::/33"])
    #expect(
      blocks(try database.subnets(countries: ["NO", "DE"])) == ["198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32"])
  }

  /// MaxMind's IPv6 trees lead ::ffff:0:0/96 and 2002::/16 to IPv4's nodes.
  @Test func aliasesOfIPv4AreTakenOnce() throws {
    let subnets = try GeoDatabase(path: countries()).subnets(countries: ["DE"])
    #expect(subnets.count == 4, "\(subnets)")
    #expect(!subnets.contains { $0.contains(Address("2002:c633:6401::")!) })
  }

  @Test(arguments: [true, false]) func aNetworkIsItsBlocks(_ isIPv6: Bool) throws {
    let database = try GeoDatabase(path: networks(isIPv6: isIPv6))
    #expect(blocks(try database.subnets(networks: [64496])) == ["198.51.100.0/24"])
    #expect(blocks(try database.subnets(networks: [64496, 64497])) == ["198.51.100.0/24", "203.0.113.0/24"])
    #expect(
      database.facts(of: Address("198.51.100.7")!) == GeoFacts(network: 64496, networkName: "Example Net"))
    #expect(
      database.facts(of: Address("203.0.113.7")!) == GeoFacts(country: "NO", network: 64497, networkName: "Another"))
    #expect(database.facts(of: Address("192.0.2.7")!).isEmpty)
    #expect(database.facts(of: Address("2001:db8::1")!).isEmpty, "an IPv4 database knows no IPv6")
  }

  @Test func whatIsAskedInVainSaysSo() throws {
    let countries = try countries()
    #expect(problem { try GeoDatabase(path: countries).subnets(networks: [64496]) }.contains("has no networks"))
    #expect(
      problem { try GeoDatabase(path: countries).subnets(countries: ["DE", "XX"]) }.contains("knows no country XX"))
    #expect(
      problem { try GeoDatabase(path: networks()).subnets(networks: [1, 2]) }.contains("knows no networks 1, 2"))
    let text = directory.path + "/text.mmdb"
    try "198.51.100.0/24\n".write(toFile: text, atomically: true, encoding: .utf8)
    #expect(problem { try GeoDatabase(path: text).subnets(countries: ["DE"]) }.contains("is no database"))
    #expect(problem { try GeoDatabase(path: text + ".gone").subnets(countries: ["DE"]) }.contains("No such file"))
  }

  private func problem(_ body: () throws -> [Subnet]) -> String {
    do { return "no problem: \(try body())" } catch { return "\(error)" }
  }

  /// A tree whose nodes lead in circles would be walked for ever.
  @Test func aDamagedTreeEndsTheWalk() throws {
    var bytes = [UInt8](try Data(contentsOf: URL(filePath: countries())))
    // The first node's halves both lead to itself.
    for place in 0..<7 { bytes[place] = 0 }
    let path = directory.path + "/circle.mmdb"
    try Data(bytes).write(to: URL(filePath: path))
    #expect(problem { try GeoDatabase(path: path).subnets(countries: ["DE"]) }.contains("damaged"))
  }

  /// A country of half the world is told in blocks that a list may hold.
  @Test func wideBlocksComeInPieces() throws {
    var writer = MMDBWriter(type: "Test-Country", isIPv6: false)
    writer.add("64.0.0.0/6", country("DE"))
    let path = directory.path + "/wide.mmdb"
    try writer.write(to: path)
    #expect(
      blocks(try GeoDatabase(path: path).subnets(countries: ["DE"])) == [
        "64.0.0.0/8", "65.0.0.0/8", "66.0.0.0/8", "67.0.0.0/8",
      ])
  }

  /// `cp new.mmdb old.mmdb` truncates the file that is open.
  @Test func aDatabaseThatIsOverwrittenWhileItIsOpenIsNoHarm() throws {
    let path = try countries()
    let database = try GeoDatabase(path: path)
    try FileHandle(forWritingTo: URL(filePath: path)).truncate(atOffset: 0)
    #expect(database.facts(of: Address("198.51.100.7")!).country == "DE")
  }

  @Test func aLookupFollowsItsFiles() throws {
    let path = try countries()
    let lookup = GeoLookup(country: path, network: try networks())
    let before = lookup.databases().facts(of: Identity("198.51.100.7"))
    #expect(before == GeoFacts(country: "DE", network: 64496, networkName: "Example Net"))
    #expect(before.text == "DE, AS64496 Example Net")
    var writer = MMDBWriter(type: "Test-Country")
    writer.add("198.51.100.0/24", country("SE"))
    try writer.write(to: path)
    #expect(lookup.databases().facts(of: Identity("198.51.100.7")).country == "SE")
    try FileManager.default.removeItem(atPath: path)
    #expect(lookup.databases().facts(of: Identity("198.51.100.7")).country == nil)
    #expect(lookup.databases().facts(of: Identity("mail.example.org")).isEmpty)
  }
}
