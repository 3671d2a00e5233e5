import Fail2banMatching
import Foundation
import Matching
import Testing

/// Lines of nginx's error log that a client wrote, and honest ones that must not be taken for such.
@Suite struct NginxRecordTests {
  private static let time = "2026/11/28 07:00:00"
  private static let head = "\(time) [error] 4279#4279: *130 "
  private static let forged =
    "\(time) [error] 1#1: *1 user \"root\": password mismatch, client: 10.9.9.9, server: www.example.test, "
    + "request: \"GET / HTTP/1.1\", host: \"x\""
  private static let gone = "y\" failed (2: No such file or directory), "

  private static func context(_ request: String, upstream: String? = nil, referrer: String? = nil) -> String {
    "client: 192.0.2.7, server: www.example.test, request: \"\(request)\""
      + (upstream.map { ", upstream: \"\($0)\"" } ?? "") + ", host: \"www.example.test\""
      + (referrer.map { ", referrer: \"\($0)\"" } ?? "")
  }

  private static func honest(_ request: String = "GET /private/ HTTP/1.1", referrer: String? = nil) -> String {
    "\(time) [error] 5191#5191: *31 user \"admin\": password mismatch, " + context(request, referrer: referrer)
  }

  private static func encoded(_ text: String, keeping kept: String = "/") -> String {
    text.addingPercentEncoding(withAllowedCharacters: .alphanumerics.union(CharacterSet(charactersIn: kept)))!
  }

  /// Who is reported for a log of these lines.
  private func hosts(_ lines: [String]) throws -> [String] {
    let filter = try Filter(Shipped.definition("nginx-http-auth.yaml"))
    return reports(lines.map { LogLine(bytes: Array($0.utf8)) }, [filter]).flatMap(\.self).map(\.address)
  }

  /// nginx 1.22 wrote this for an application that answered with X-Accel-Redirect.
  @Test func anApplicationNamesTheFile() throws {
    let log = try Shipped.fixture("hostile/nginx-accel-redirect.log")
    let lines = String(decoding: log, as: UTF8.self).split(separator: "\n").map(String.init)
    #expect(try hosts(lines) == [])
  }

  @Test(arguments: [
    "/", "/ ", "", ":/ ",
  ]) func theRequestShowsTheText(kept: String) throws {
    let once = Self.encoded(Self.forged, keeping: kept)
    for text in [once, once.replacingOccurrences(of: "%20", with: "+"), Self.encoded(once, keeping: "")] {
      let last = Self.context("GET /get?f=x%0a\(text)%0ay HTTP/1.1")
      #expect(try hosts([Self.head + "open() \"/srv/x", Self.forged, Self.gone + last]) == [], "\(text)")
    }
  }

  @Test func theTextIsMadeUpOfDotSegments() throws {
    let text = Self.encoded(Self.forged).replacingOccurrences(of: "2026/11", with: "2026//zz/..//./11")
    let last = Self.context("GET /x%0a\(text)%0ay HTTP/1.1")
    #expect(try hosts([Self.head + "open() \"/srv/x", Self.forged, Self.gone + last]) == [])
  }

  /// The name came with a request's body, or from a database.
  @Test func anApplicationNamesTheFileAndNothingShowsIt() throws {
    for upstream in ["http://127.0.0.1:8081/get", "fastcgi://unix:/run/php/php-fpm.sock:"] {
      let last = Self.gone + Self.context("POST /get HTTP/1.1", upstream: upstream)
      #expect(try hosts([Self.head + "open() \"/srv/x", Self.forged, last]) == [])
      // With what looks like a whole line at first.
      let first = Self.head + "open() \"/srv/x" + Self.gone + Self.context("GET / HTTP/1.1")
      #expect(try hosts([first, Self.forged, last]) == [])
    }
  }

  /// `proxy_pass http://backend$uri`: the line ends are behind the request.
  @Test(arguments: ["", "%22,%20host:%20%22x%22"]) func theUpstreamsAddressIsThePath(before: String) throws {
    let first =
      Self.head + "connect() failed (111: Connection refused) while connecting to upstream, client: 192.0.2.7, "
      + "server: s, request: \"GET /x\(before)%0a\(Self.encoded(Self.forged))%0ay HTTP/1.1\", "
      + "upstream: \"http://127.0.0.1:8081/x\(before.removingPercentEncoding!)"
    #expect(try hosts([first, Self.forged, "y\", host: \"www.example.test\""]) == [])
  }

  /// The record's last line looks whole, with a false client.
  @Test(arguments: [nil, "x, client: 198.51.100.1"]) func theLastLineIsForged(referrer: String?) throws {
    let last =
      Self.forged + "\" failed (2: No such file or directory), "
      + Self.context("GET /x%0a\(Self.encoded(Self.forged)) HTTP/1.1", referrer: referrer)
    #expect(try hosts([Self.head + "open() \"/srv/x", last]) == [])
  }

  /// Nobody hides what he does behind his own requests.
  @Test func honestLinesAmongOthers() throws {
    let missing = "open() \"/srv/x.ico\" failed (2: No such file or directory), "
    let others = [
      [Self.head + missing + Self.context("GET /x.ico HTTP/1.1")],
      [
        Self.head + missing
          + Self.context(
            "GET /x.ico HTTP/1.1", referrer: "x, client: 1.2.3.4, request: \"GET / HTTP/1.1\", upstream: \"http://x")
      ],
      [
        Self.head + "open() \"/srv/x", "",
        "\" failed (2: No such file or directory), " + Self.context("GET /x%0a%0a HTTP/1.1"),
      ],
      [
        Self.head + "connect() failed (111: Connection refused) while connecting to upstream, "
          + Self.context("GET /x%0a%0a%0a HTTP/1.1", upstream: "http://127.0.0.1/x%0a%0a%0a")
      ],
      [
        Self.head + "upstream timed out (110: Connection timed out) while reading response header from upstream, "
          + Self.context("GET /x HTTP/1.1", upstream: "http://127.0.0.1/x")
      ],
    ]
    for lines in others {
      let log = (0..<10).flatMap { _ in [Self.honest()] + lines + lines }
      #expect(try hosts(log).count { $0 == "192.0.2.7" } >= 10, "\(lines)")
      #expect(try hosts(log).count == 10, "\(lines)")
    }
    for referrer in [nil, "x, client: 1.2.3.4, server: s, request: \"GET / HTTP/1.1\", upstream: \"x\""] {
      let log = [String](repeating: Self.honest("GET /private/%0a%0a%0a HTTP/1.1", referrer: referrer), count: 10)
      #expect(try hosts(log) == [String](repeating: "192.0.2.7", count: 10))
    }
  }

  /// Notices of PHP's stand before and behind: of a worker that is known the line is believed, and only then.
  @Test func betweenTwoNotices() throws {
    let notice =
      Self.head + "FastCGI sent in stderr: \"PHP message: PHP Notice:  x in /srv/x.php on line 3\" while reading "
      + "response header from upstream, "
      + Self.context("GET /x.php HTTP/1.1", upstream: "fastcgi://unix:/run/php.sock:")
    let known = [Self.honest()] + [String](repeating: "", count: 2100)
    let among = (0..<5).flatMap { _ in [notice, Self.honest(), notice] }
    #expect(try hosts(among) == [])
    #expect(try hosts(known + among).count == 6)
    #expect(try hosts(known + [notice, Self.forged, notice]) == ["192.0.2.7"])
  }

  /// A line happens to end 2048 bytes behind the start of another, as one does that nginx cut.
  @Test(arguments: [
    "[notice] 5191#5191: signal process started", "[info] 5191#5191: *9 client 192.0.2.8 closed keepalive connection",
    "[error] 5191#5191: *9 upstream prematurely closed connection while reading response header from upstream, "
      + context("GET /big HTTP/1.1", upstream: "http://127.0.0.1/big"),
    "[error] 5191#5191: *9 open() \"/srv/x.ico\" failed (2: No such file or directory), "
      + context("GET /x.ico HTTP/1.1"),
  ]) func aLineEndsWhereACutOneWould(first: String) throws {
    var lines = ["\(Self.time) \(first)"] + [String](repeating: Self.honest(), count: 8)
    let bytes = lines.reduce(0) { $0 + $1.utf8.count + 1 }
    let longer = 2048 - bytes - Self.honest().utf8.count - 1
    lines.append(Self.honest("GET /private/\(String(repeating: "x", count: longer)) HTTP/1.1"))
    #expect(lines.reduce(0) { $0 + $1.utf8.count + 1 } == 2048)
    #expect(try hosts(lines).count == 9)
  }

  /// `error_log syslog:…`: a syslog daemon escapes line ends, or writes them as they are.
  @Test(arguments: ["Nov 28 07:00:00 web nginx: ", "2026-11-28T07:00:00.123+00:00 web nginx[5191]: "])
  func throughSyslog(header: String) throws {
    let honest = header + Self.honest()
    let escaped =
      header + Self.head + "open() \"/srv/x#012" + Self.forged + "#012" + Self.gone + Self.context("GET /x HTTP/1.1")
    let split = [
      header + Self.head + "open() \"/srv/x", Self.forged,
      Self.gone + Self.context("GET /x%0a\(Self.encoded(Self.forged))%0ay HTTP/1.1"),
    ]
    #expect(try hosts([honest, escaped, honest] + split + [honest]) == ["192.0.2.7", "192.0.2.7", "192.0.2.7"])
  }

  @Test func theReportedOne() throws {
    let log = try Shipped.fixture("reported/nginx-honest-lines.log")
    #expect(try hosts(String(decoding: log, as: UTF8.self).split(separator: "\n").map(String.init)).count == 10)
  }
}
