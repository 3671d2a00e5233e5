import Testing

@testable import Maintenance

@Suite struct PseudonymsTests {
  @Test(arguments: [
    ("203.0.113.7 and 203.0.113.7/32, 198.51.100.1", "<address-1> and <address-1>/32, <address-2>"),
    ("2001:DB8::7 is 2001:db8:0:0::7", "<address-1> is <address-1>"), ("[2001:db8::7]:443", "[<address-1>]:443"),
    ("203.0.113.7:4711, fe80::1%eth0.", "<address-1>:4711, <address-2>%eth0."),
    ("listen 127.0.0.1:8787, ::1 and 0.0.0.0/0", "listen 127.0.0.1:8787, ::1 and 0.0.0.0/0"),
    ("Web1 kernel: on web1.example.org: alice=bob", "<host-2> kernel: on <host-1>: <user-1>=bob"),
    ("alice@example.org wrote to root@web1.example.org", "<mail-1> wrote to <mail-2>"),
    ("/var/log/nginx/shop.example.org.access.log", "/var/log/nginx/<name-1>.access.log"),
    ("https://shop.example.org:8443/x, smtp://other.example", "https://<name-1>:8443/x, smtp://<name-2>"),
    // What names nobody stays.
    (
      "/var/log/auth.log, bailiff.service, 6.1.0, 17:04:07.123",
      "/var/log/auth.log, bailiff.service, 6.1.0, 17:04:07.123"
    ),
    ("findtime: 10m  # /etc/bailiff/jails.d/sshd.yaml:1", "findtime: 10m  # /etc/bailiff/jails.d/sshd.yaml:1"),
    ("\"id\":\"203.0.113.7\",\"jail\":\"sshd\"", "\"id\":\"<address-1>\",\"jail\":\"sshd\""),
    ("", ""), ("...", "..."), ("a@b", "a@b"), ("ſ.é", "ſ.é"),
  ])
  func namesAreReplaced(_ text: String, _ expected: String) {
    var pseudonyms = Pseudonyms(hosts: ["web1.example.org"], users: ["alice"])
    #expect(pseudonyms.replacing(text) == expected)
  }

  @Test func theSameIsTheSameThroughout() {
    var pseudonyms = Pseudonyms(hosts: [], users: [])
    _ = pseudonyms.replacing("203.0.113.7 198.51.100.1")
    #expect(pseudonyms.replacing("198.51.100.1") == "<address-2>")
  }
}
