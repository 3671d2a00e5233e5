import Filters
import Model
import Testing

@testable import Settings

/// The small parsers behind single values.
struct ValueTests {
  @Test(
    arguments: [
      ("22", 22...22), ("ssh", 22...22), ("https", 443...443), ("1:65535", 1...65_535), ("80-90", 80...90),
      ("smtps", 465...465),
    ] as [(String, ClosedRange<UInt16>)]) func ports(text: String, range: ClosedRange<UInt16>)
  {
    #expect(Ports.range(text) == range)
  }

  @Test(arguments: [
    "", "0", "65536", "-1", "1:", ":1", "2:1", "１", "ssh:http", "22 ", "1:2:3", String(repeating: "9", count: 99),
  ])
  func badPorts(text: String) {
    #expect(Ports.range(text) == nil)
  }

  @Test func portRangesMerge() {
    let ports = Ports(ranges: [90...100, 22...22, 80...89, 95...120, 65_535...65_535, 1...65_534].shuffled())
    #expect(ports == .list([1...65_535]))
    #expect(Ports(ranges: [22...22, 24...24]).description == "22,24")
    #expect(Ports.all.description == "all")
  }

  @Test(arguments: [
    "UTC", "GMT", "Z", "UTC+0200", "+02:00", "-0330", "UTC+2", "Europe/Berlin", "America/Argentina/Salta",
  ])
  func zones(name: String) {
    #expect(TimeZoneName.isValid(name))
  }

  @Test(arguments: [
    "", "Mars/Olympus", "UTC+", "+2500", "+1260", "../etc/passwd", "/etc/passwd", "Europe", "Europe/", "UTC+x",
  ])
  func badZones(name: String) {
    #expect(!TimeZoneName.isValid(name))
  }

  @Test(arguments: [
    "office.example.org", "OFFICE.example.org.", "localhost", "a_b.example", "xn--bcher-kva.example", "1.example",
  ]) func dnsNames(text: String) throws {
    guard case .name = try IgnoreEntry.parse(text).get() else {
      Issue.record("\(text) is no name")
      return
    }
  }

  @Test(arguments: [
    "", ".", "a..b", "-a", "a-", "10.0.0.256", "1.2.3", "12", "1.2.3.4/33", "::1/129", "::1/", "a/24", "fe80::1%eth0",
    "[::1]", "1.2.3.4:22", "bücher.example", "a b", String(repeating: "a", count: 64), "file:", "file:x",
  ]) func badIgnoreEntries(text: String) {
    #expect(throws: IgnoreEntryError.self) { try IgnoreEntry.parse(text).get() }
  }

  @Test func nearestWords() {
    let words = ["maxretry", "findtime", "bantime", "port"]
    #expect(nearest(to: "maxrety", among: words) == "maxretry")
    #expect(nearest(to: "MAXRETRY", among: words) == "maxretry")
    #expect(nearest(to: "bnatime", among: words) == "bantime")
    #expect(nearest(to: "prot", among: words) == "port")
    #expect(nearest(to: "elephant", among: words) == nil)
    #expect(nearest(to: "", among: words) == nil)
  }

  @Test func messagesAreOneLine() {
    let place = Place(file: "a\nb", line: 1, column: 2)
    let error = SettingsError(place, "x \u{1B}[31m\u{202E}", remedy: "")
    #expect(error.description == "a\\x0ab:1:2: x \\x1b[31m\\u{202e}")
    #expect(quoted(String(repeating: "x", count: 100)) == "`" + String(repeating: "x", count: 60) + "…`")
  }
}
