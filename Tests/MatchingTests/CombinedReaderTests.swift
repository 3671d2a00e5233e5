import Testing

@testable import Filters
@testable import Matching

/// Access logs: every variant that servers write, and lines that clients would like to be others.
@Suite struct CombinedReaderTests {
  /// The fields that are there; nil: not read.
  static func read(_ line: String) -> [String: String]? {
    let names = CombinedReader.fieldNames
    let bytes = Array(line.utf8)
    var table = FieldTable()
    table.clear(slots: names.count)
    do throws(Unread) {
      try CombinedReader(names.enumerated().map { ($0.offset, $0.element) }).read(bytes.span, into: &table)
    } catch { return nil }
    var found: [String: String] = [:]
    for (slot, name) in names.enumerated() {
      guard let value = table.value(slot) else { continue }
      found[name] = table.withText(value, of: bytes.span) { text in
        String(decoding: (0..<text.count).map { text[$0] }, as: UTF8.self)
      }
    }
    return found
  }

  static let time = "[21/Nov/2026:06:56:41 +0000]"

  @Test func combined() {
    #expect(
      Self.read(
        #"192.0.2.7 - alice \#(Self.time) "GET /a?b=c HTTP/1.1" 401 153 "http://x/" "curl/8.0" "198.51.100.1" "z""#)
        == [
          "host": "192.0.2.7", "user": "alice", "time": "21/Nov/2026:06:56:41 +0000", "request": "GET /a?b=c HTTP/1.1",
          "method": "GET", "path": "/a?b=c", "protocol": "HTTP/1.1", "status": "401", "size": "153",
          "referer": "http://x/",
          "agent": "curl/8.0", "extra1": "198.51.100.1", "extra2": "z",
        ])
    #expect(
      Self.read(#"2001:db8::7 - - \#(Self.time) "GET / HTTP/1.1" 200 -"#)
        == [
          "host": "2001:db8::7", "time": "21/Nov/2026:06:56:41 +0000", "request": "GET / HTTP/1.1", "method": "GET",
          "path": "/", "protocol": "HTTP/1.1", "status": "200",
        ])
  }

  private func expect(
    _ head: String, request: String = "GET / HTTP/1.1", _ fields: [String: String?], _ comment: Comment
  ) {
    let found = Self.read(#"\#(head) \#(Self.time) "\#(request)" 401 153 "-" "x""#)
    for (name, value) in fields { #expect(found != nil && found?[name] == value, "\(comment): \(name)") }
  }

  @Test func heads() {
    expect(
      "www.example.test:80 192.0.2.7 - -", ["vhost": "www.example.test:80", "host": "192.0.2.7", "user": nil],
      "Apache's vhost_combined")
    expect(
      "203.0.113.1:80 192.0.2.7 - bob", ["vhost": "203.0.113.1:80", "host": "192.0.2.7", "user": "bob"],
      "a virtual host by address")
    expect(
      "blog.example.test 192.0.2.7 - -", ["vhost": "blog.example.test", "host": "192.0.2.7"],
      "a virtual host without a port")
    expect("192.0.2.7 -", ["host": "192.0.2.7", "user": nil], "no user at all")
    expect("192.0.2.7 - ", ["host": "192.0.2.7", "user": nil], "an empty user")
    expect("192.0.2.7 - two words", ["user": "two words"], "a user with a space")
    expect(
      "192.0.2.7 www.example.test alice", ["host": "192.0.2.7", "ident": "www.example.test", "user": "alice"],
      "lighttpd")
    expect("192.0.2.7 10.9.9.9 -", ["host": "192.0.2.7"], "lighttpd asked by address")
    expect("[v1.fd00:78::3] - root", ["host": "[v1.fd00:78::3]", "user": "root"], "CUPS")
    expect("192.0.2.7:4711 - -", ["host": "192.0.2.7:4711"], "a port behind the address")
    expect("localhost - root", ["host": "localhost"], "a name")
    expect(
      #"192.0.2.7 - x [21/Nov/2026:00:00:00 +0000] \x22"#, ["user": #"x [21/Nov/2026:00:00:00 +0000] \x22"#],
      "a user name that looks like a time")
  }

  /// What a client could have chosen decides nothing.
  @Test func ambiguousHeads() {
    #expect(Self.read(#"10.9.9.9 192.0.2.7 - - \#(Self.time) "GET / HTTP/1.1" 401 153"#) == nil)
  }

  @Test func requests() {
    expect("192.0.2.7 - -", request: #"GET /\x22 401 "#, ["path": #"/\x22 401 "#, "protocol": nil], "no protocol")
    expect(
      "192.0.2.7 - -", request: #"GET /a\" b HTTP/1.1"#, ["path": #"/a\" b"#, "method": "GET"], "an escaped quote")
    expect("192.0.2.7 - -", request: #"GET /a\\"#, ["path": #"/a\\"#], "an escaped backslash before the quote")
    expect("192.0.2.7 - -", request: "-", ["request": nil, "method": nil, "path": nil, "status": "401"], "nothing")
    expect("192.0.2.7 - -", request: "", ["request": nil, "status": "401"], "empty")
    expect(
      "192.0.2.7 - -", request: #"\x16\x03\x01"#, ["request": #"\x16\x03\x01"#, "method": nil, "path": nil], "TLS")
    expect("192.0.2.7 - -", request: "get / HTTP/1.1", ["method": nil], "no method")
    expect(
      "192.0.2.7 - -", request: "\u{1B}[31m\u{1B}[1mPOST /login/ HTTP/1.1\u{1B}[0m",
      ["method": "POST", "path": "/login/", "protocol": "HTTP/1.1"],
      "werkzeug's colours")
  }

  @Test(arguments: [
    "", "x", "192.0.2.7 - - GET / 401", #"192.0.2.7 - - [21/Nov/2026:06:56:41 +0000] "GET / HTTP/1.1 401"#,
    #"192.0.2.7 - - [21/Nov/2026:06:56:41 +0000] "GET / HTTP/1.1\" 401"#, #"{"a":"[21/Nov/2026:06:56:41 +0000] "}"#,
    #"192.0.2.7 - - [21/Nov/2026:06:56:41 +0000] "GET / HTTP/1.1""#,
    #"[21/Nov/2026:06:56:41 +0000] "GET / HTTP/1.1" 401 1"#,
    #"192.0.2.7 - - [21/Nov/2026:06:56:41 +0000] "GET / HTTP/1.1" 401 1 "-" "x"#,
  ])
  func notRead(line: String) { #expect(Self.read(line) == nil) }
}
