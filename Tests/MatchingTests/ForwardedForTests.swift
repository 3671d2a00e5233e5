import Model
import Testing

@testable import Matching

/// Whom proxies spoke for.
@Suite struct ForwardedForTests {
  private static let proxies = ["10.0.0.0/8", "127.0.0.1/32", "2001:db8:f::/48"].map { Subnet($0)! }

  private static func client(_ text: String) -> String? {
    ForwardedFor.client(Array(text.utf8).span) { address in proxies.contains { $0.contains(address) } }?.description
  }

  @Test(arguments: [
    ("192.0.2.7", "192.0.2.7"), ("192.0.2.7, 10.0.0.4", "192.0.2.7"), ("192.0.2.7,10.0.0.4,127.0.0.1", "192.0.2.7"),
    // What is left of the client is the client's.
    ("198.51.100.9, 192.0.2.7, 10.0.0.4", "192.0.2.7"), ("127.0.0.1, 192.0.2.7", "192.0.2.7"),
    ("' or 1=1, 192.0.2.7", "192.0.2.7"), (",,192.0.2.7 , 10.0.0.4 ", "192.0.2.7"),
    ("10.0.0.4, 192.0.2.7:4711", "192.0.2.7"),
    ("2001:db8::7", "2001:db8::7"), ("[2001:db8::7]:4711, 10.0.0.4:80", "2001:db8::7"),
    ("\"[2001:db8::7]\"", "2001:db8::7"),
    ("for=192.0.2.7;proto=https, for=10.0.0.4", "192.0.2.7"), ("for=\"[2001:db8::7]:4711\";by=10.0.0.4", "2001:db8::7"),
    ("proto=https;For=192.0.2.7", "192.0.2.7"),
    ("for=198.51.100.9, for=192.0.2.7;host=a, for=2001:db8:f::1", "192.0.2.7"),
  ])
  func known(_ text: String, _ client: String) { #expect(Self.client(text) == client) }

  @Test(arguments: [
    "", "-", "unknown", "10.0.0.4", "10.0.0.4, 127.0.0.1", "192.0.2.7, unknown", "192.0.2.7, _hidden, 10.0.0.4",
    "192.0.2.7, ", "192.0.2.7; 10.0.0.4 x", "for=unknown", "for=", "for=\"192.0.2.7", "192.0.2.999", ",", "\"",
    "192.0.2.7 198.51.100.9",
  ])
  func unknown(_ text: String) { #expect(Self.client(text) == nil) }
}
