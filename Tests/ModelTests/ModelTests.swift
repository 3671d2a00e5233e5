import Model
import Testing

@Suite struct AddressTests {
  /// Every number at every place, before numbers of every length.
  @Test func aDottedQuadIsItsText() {
    for number in UInt32(0)...255 {
      for others in [[0, 0, 0], [9, 10, 99], [100, 255, 1], [10, 10, 200], [111, 222, 133]] as [[UInt32]] {
        for place in 0..<4 {
          var parts = others
          parts.insert(number, at: place)
          let quad = DottedQuad(parts.reduce(0) { $0 << 8 | $1 })
          let text = String(decoding: (0..<quad.count).map { quad[$0] }, as: UTF8.self)
          #expect(text == parts.map(String.init).joined(separator: "."))
        }
      }
    }
  }

  @Test(arguments: [
    ("192.0.2.7", "192.0.2.7"), ("0.0.0.0", "0.0.0.0"), ("255.255.255.255", "255.255.255.255"),
    ("::ffff:192.0.2.7", "192.0.2.7"), ("::", "::"), ("::1", "::1"), ("1::", "1::"),
    ("2001:DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1"), ("fd00:0078:0000:0000:0000:0000:0000:0002", "fd00:78::2"),
    ("1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"), ("1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304"),
    ("2001:db8::1.2.3.4", "2001:db8::102:304"), ("1:0:3:4:5:6:7:8", "1:0:3:4:5:6:7:8"),
  ])
  func parsesAndPrints(text: String, printed: String) {
    #expect(Address(text)?.description == printed)
  }

  @Test(arguments: [
    "", ".", ":", ":::", "1.2.3", "1.2.3.4.5", "1.2.3.256", "01.2.3.4", "1.2.3.4 ", " 1.2.3.4", "1..2.3", "1.2.3.",
    "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1::2::3", "12345::", "::g", "fe80::1%eth0", "1:2:3:4:5:6:7:8::",
    "::1.2.3", ":1:2:3:4:5:6:7", "1:2:3:4:5:6:7:", "[::1]", "1.2.3.4:80", "1:2:3:4:5:6:7:1.2.3.4",
  ])
  func refuses(text: String) { #expect(Address(text) == nil) }

  @Test func subnets() {
    #expect(Subnet("192.0.2.77/24")?.description == "192.0.2.0/24")
    #expect(Subnet("192.0.2.7/32")?.description == "192.0.2.7")
    #expect(Subnet("2001:db8::7/64")?.description == "2001:db8::/64")
    #expect(Subnet("0.0.0.0/0")!.contains(Address("203.0.113.9")!))
    #expect(!Subnet("0.0.0.0/0")!.contains(Address("::1")!))
    #expect(Subnet("::/0")!.prefixLength == 0)
    for bad in ["192.0.2.0/33", "::/129", "192.0.2.0/", "192.0.2.0/+1", "/24", "x/24", "1.2.3.4/24/1"] {
      #expect(Subnet(bad) == nil)
    }
    #expect(Subnet("192.0.2.0/24")!.last == Address("192.0.2.255"))
  }
}

@Suite struct InstantTests {
  @Test(arguments: [
    "1970-01-01T00:00:00Z", "2026-11-21T05:24:01.250000Z", "2000-02-29T23:59:59Z", "1969-12-31T23:59:59.999999Z",
    "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z",
  ])
  func roundTrips(text: String) { #expect(Instant(rfc3339: text)?.rfc3339() == text) }

  @Test func zones() {
    #expect(Instant(rfc3339: "2026-11-21T06:24:01+01:00") == Instant(rfc3339: "2026-11-21T05:24:01Z"))
    #expect(Instant(rfc3339: "2026-11-21T05:24:01Z")!.rfc3339(offset: -5400) == "2026-11-21T03:54:01-01:30")
  }

  @Test func arithmeticSaturates() {
    let end = Instant(microseconds: .max)
    #expect(end.adding(.hours(1)) == end)
    #expect(Instant(microseconds: .min).subtracting(.hours(1)).microseconds == .min)
    #expect(end.since(Instant(microseconds: -5)).microseconds == .max)
    #expect(Instant(seconds: .max).microseconds == .max)
    _ = end.rfc3339()
    _ = Instant(microseconds: .min).rfc3339()
    #expect(Instant(epoch: .nan).microseconds == 0)
  }

  @Test(arguments: [
    "", "2026-11-21", "2026-13-01T00:00:00Z", "2026-02-29T00:00:00Z", "2026-11-21T05:24:01", "2026-11-21T05:24:01+1:00",
  ])
  func refuses(text: String) { #expect(Instant(rfc3339: text) == nil) }
}
