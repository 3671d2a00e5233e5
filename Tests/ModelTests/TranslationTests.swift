import Model
import Testing

@Suite struct TranslationTests {
  @Test(arguments: [
    ("64:ff9b::c000:207", "192.0.2.7"), ("64:ff9b::192.0.2.7", "192.0.2.7"), ("::ffff:0:c000:207", "192.0.2.7"),
    ("::192.0.2.7", "192.0.2.7"), ("64:ff9b:1::c000:207", nil), ("64:ff9b::1:c000:207", nil), ("::", nil), ("::1", nil),
    ("::2", "0.0.0.2"), ("192.0.2.7", nil), ("::ffff:192.0.2.7", nil), ("2001:db8::c000:207", nil),
  ])
  func embedded(_ address: String, _ ipv4: String?) {
    #expect(Address(address)!.embeddedIPv4?.description == ipv4)
  }

  @Test(arguments: [
    ("64:ff9b::1", true), ("64:ff9b:1:2::1", true), ("2001::1", true), ("2001:0:ffff::", true), ("2001:1::1", false),
    ("2001:db8::1", false), ("2002:c000:207::1", false), ("192.0.2.7", false), ("::1", false),
  ])
  func shared(_ address: String, _ expected: Bool) {
    #expect(Address(address)!.sharesPrefixWithStrangers == expected)
  }
}
