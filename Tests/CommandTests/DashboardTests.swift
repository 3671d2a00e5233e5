import Foundation
import TestSupport
import Testing

/// The dashboard of a running daemon, as a browser without JavaScript uses it.
@Suite(.timeLimit(.minutes(5))) struct DashboardTests {
  static let pages = [
    "/", "/bans", "/address?id=203.0.113.7", "/audit", "/activity", "/waf", "/jails", "/lists", "/outputs", "/posture",
    "/reports", "/what-if", "/what-if?jail=sshd&maxretry=2",
  ]

  final class Server {
    let directory: TestDirectory
    let daemon: RunningDaemon
    let config: String
    let port = Int.random(in: 20_000..<32_000)

    init() async throws {
      directory = try TestDirectory("dashboard")
      try directory.write("auth.log", "")
      config = try directory.write(
        "bailiff.yaml",
        """
        state: \(directory("state"))
        socket: \(directory("socket"))
        firewall: {backend: dry-run}
        api: {listen: "127.0.0.1:\(port)", jail: logins}
        jails:
          sshd: {filter: sshd, backend: files, logpath: [\(directory("auth.log"))], maxretry: 3, bantime: 1h}
          logins: {source: reports, maxretry: 3, ignoreip: [192.0.2.0/24]}
        """)
      daemon = try RunningDaemon(config, isDryRun: false)
      try await poll("it listens") { try await ask("/login").status == 200 }
    }

    deinit { daemon.kill() }

    func bailiff(_ arguments: String...) async throws -> Finished {
      try await Binary.run(arguments + ["--config", config])
    }

    func addUser(_ name: String, _ role: String) async throws {
      let made = try await Shell.run(
        "echo 'correct horse' | \(Binary.path) user add \(name) --role \(role) --config \(config)")
      try #require(made.status == 0, "\(made.text)")
    }

    /// Somebody before a browser: the cookies are kept in a file of this name.
    func ask(
      _ path: String, as name: String = "nobody", _ options: String = ""
    ) async throws -> (status: Int, headers: String, body: String) {
      let jar = directory("cookies-\(name)")
      let answer = try await Shell.run(
        "curl -s -i -b \(jar) -c \(jar) \(options) \(Shell.quoted("http://127.0.0.1:\(port)\(path)"))"
      ).text
      let parts = answer.split(separator: "\r\n\r\n", maxSplits: 1, omittingEmptySubsequences: false)
      let words = answer.split(separator: " ", maxSplits: 2)
      return (
        words.count > 1 ? Int(words[1]) ?? 0 : 0, String(parts.first ?? ""), parts.count > 1 ? String(parts[1]) : ""
      )
    }

    func logIn(_ name: String, password: String = "correct horse", _ options: String = "") async throws -> (
      status: Int, headers: String, body: String
    ) {
      try await ask(
        "/login", as: name,
        "\(options) -d name=\(name) --data-urlencode 'password=\(password)' --data-urlencode 'next=/bans?jail=sshd'")
    }

    /// What the forms of a page send back.
    func csrf(of name: String) async throws -> String {
      let page = try await ask("/", as: name).body
      return try #require(page.firstMatch(of: /name="csrf" value="([^"]+)"/).map { String($0.1) })
    }
  }

  /// Attackers choose names and paths; on every page they are text.
  private static let hostile = #"<script>alert(1)</script>"'&"#

  @Test func pagesForWhoIsLoggedIn() async throws {
    let server = try await Server()
    let stamp = ISO8601DateFormatter().string(from: Date())
    let line =
      "\(stamp) web sshd[812]: Failed password for invalid user \(Self.hostile) from 203.0.113.7 port 4711 ssh2\n"
    try server.directory.append(String(repeating: line, count: 3), to: "auth.log")
    try await poll("the ban") { try await server.bailiff("bans", "--json").output.contains("203.0.113.7") }

    for page in Self.pages {
      let answer = try await server.ask(page)
      #expect(answer.status == 303, "\(page)")
      #expect(answer.headers.contains("Location: /login"), "\(page)")
      #expect(!answer.body.contains("203.0.113"), "\(page)")
    }
    for asset in ["dashboard.css", "dashboard.js"] { #expect(try await server.ask("/assets/\(asset)").status == 200) }

    try await server.addUser("alice", "look")
    #expect(try await server.logIn("alice", password: "wrong password").status == 401)
    let inside = try await server.logIn("alice")
    #expect(inside.status == 303 && inside.headers.contains("Location: /bans?jail=sshd\r\n"))
    #expect(inside.headers.contains("HttpOnly; SameSite=Strict"))
    var size = 0
    for page in Self.pages {
      let answer = try await server.ask(page, as: "alice")
      #expect(answer.status == 200, "\(page): \(answer.body)")
      #expect(answer.headers.contains("Content-Security-Policy: default-src 'none'; style-src 'self'"), "\(page)")
      #expect(answer.headers.contains("frame-ancestors 'none'") && answer.headers.contains("no-store"), "\(page)")
      #expect(!answer.body.contains("<script>alert") && !answer.body.contains("style="), "\(page)")
      // Who may only look finds nothing to press but what asks.
      #expect(!answer.body.contains("action=\"/bans/") && !answer.body.contains("action=\"/lists/"), "\(page)")
      size = max(size, answer.body.utf8.count)
    }
    for page in ["/address?id=203.0.113.7", "/audit?text=alert"] {
      #expect(try await server.ask(page, as: "alice").body.contains("&lt;script&gt;alert(1)&lt;/script&gt;"), "\(page)")
    }
    let reflected = try await server.ask("/audit?jail=%22%3E%3Cscript%3Ealert(1)%3C/script%3E", as: "alice").body
    #expect(reflected.contains("&quot;&gt;&lt;script&gt;") && !reflected.contains("<script>alert"))
    #expect(try await server.ask("/audit?ip=nonsense", as: "alice").status == 400)
    // No page has this number; a trap would end the daemon with everybody's bans.
    for number in ["9223372036854775807", "-9223372036854775808", "0", "2"] {
      #expect(try await server.ask("/bans?page=\(number)", as: "alice").status == 200, "\(number)")
    }
    // A page of the API's is protected as the others are.
    let report = try await server.ask("/api/v1/report?since=24h", as: "alice")
    #expect(report.status == 200 && report.headers.contains("frame-ancestors 'none'"), "\(report.headers)")
    #expect(report.headers.contains("no-store") && report.headers.contains("nosniff"), "\(report.headers)")
    // All told at most 150 KB, with the longest page here.
    for asset in ["dashboard.css", "dashboard.js"] { size += try await server.ask("/assets/\(asset)").body.utf8.count }
    #expect(size < 150_000)

    // The session is the API's, too.
    #expect(try await server.ask("/api/v1/bans", as: "alice").body.contains("203.0.113.7"))
    #expect(try await server.ask("/api/v1/users", as: "alice").status == 403)
    // Removed, nobody is logged in any more.
    #expect(try await server.bailiff("user", "remove", "alice").status == 0)
    #expect(try await server.ask("/", as: "alice").status == 303)
  }

  @Test func whoMayOperateBansAndUndoes() async throws {
    let server = try await Server()
    try await server.addUser("olga", "operate")
    try await server.addUser("lena", "look")
    _ = try await server.logIn("olga")
    _ = try await server.logIn("lena")
    let (olga, lena) = try await (server.csrf(of: "olga"), server.csrf(of: "lena"))
    let ban = "-d id=198.51.100.7 -d for=1h"
    #expect(try await server.ask("/bans/ban", as: "olga", ban).status == 403, "without the session's token")
    #expect(try await server.ask("/bans/ban", as: "olga", "\(ban) -d csrf=\(lena)").status == 403)
    #expect(try await server.ask("/bans/ban", as: "lena", "\(ban) -d csrf=\(lena)").status == 403)
    #expect(try await server.ask("/bans/ban", as: "nobody", "\(ban) -d csrf=\(olga)").status == 401)
    #expect(try await server.ask("/bans/ban", as: "olga").status == 405)
    #expect(try await server.bailiff("bans", "--json").output.isEmpty)

    let done = try await server.ask("/bans/ban", as: "olga", "\(ban) -d csrf=\(olga)")
    #expect(
      done.status == 303 && done.headers.contains("Location: /bans?done=banned&id=198.51.100.7&jail=operator\r\n"))
    let page = try await server.ask("/bans?done=banned&id=198.51.100.7", as: "olga").body
    #expect(page.contains("198.51.100.7</a> is banned.") && page.contains(">undo</button>"))
    let audit = try await server.bailiff("audit", "--kind", "operator", "--json").output
    #expect(audit.contains("olga from 127.0.0.1"), "\(audit)")
    #expect(audit.contains("login (olga from 127.0.0.1)"))
    #expect(try await server.ask("/bans/unban", as: "olga", "-d id=198.51.100.7 -d csrf=\(olga)").status == 303)
    #expect(try await server.bailiff("bans", "--json").output.isEmpty)
    let refused = try await server.ask("/bans/unban", as: "olga", "-d id=198.51.100.7 -d csrf=\(olga)")
    #expect(refused.status == 409 && refused.body.contains("is not banned"))
    let spared = try await server.ask(
      "/lists/allow", as: "olga", "-d id=198.51.100.8 -d for=1d -d why=test -d csrf=\(olga)")
    #expect(spared.status == 303)
    #expect(try await server.ask("/lists", as: "olga").body.contains("198.51.100.8"))

    #expect(try await server.ask("/logout", as: "olga", "-d csrf=\(lena)").status == 303)
    #expect(try await server.ask("/", as: "olga").status == 200, "another site cannot log anybody out")
    #expect(try await server.ask("/logout", as: "olga", "-d csrf=\(olga)").status == 303)
    #expect(try await server.ask("/", as: "olga").status == 303)
  }

  /// What a click lifted, a click puts back: in every jail, for the rest of its time.
  @Test func undoPutsEveryBanBack() async throws {
    let server = try await Server()
    try await server.addUser("olga", "operate")
    _ = try await server.logIn("olga")
    let csrf = try await server.csrf(of: "olga")
    #expect(try await server.bailiff("ban", "198.51.100.9", "--jail", "sshd", "--for", "2h").status == 0)
    #expect(try await server.bailiff("ban", "198.51.100.9", "--for", "permanent").status == 0)
    func bans() async throws -> [String: String?] {
      Dictionary(
        uniqueKeysWithValues: try await server.bailiff("bans", "--json").objects.map {
          ($0["jail"] as? String ?? "", $0["until"] as? String)
        })
    }
    let before = try await bans()
    #expect(before.count == 2)
    let done = try await server.ask("/bans/unban", as: "olga", "-d id=198.51.100.9 -d csrf=\(csrf)")
    #expect(try await bans().isEmpty)
    let link = try #require(done.headers.firstMatch(of: /Location: (\S+)/).map { String($0.1) })
    let page = try await server.ask(link, as: "olga").body
    #expect(page.contains("2 bans of") && page.contains("action=\"/bans/restore\""), "\(page)")
    let fields = page.matches(of: /name="ban" value="([^"]*)"/).map { String($0.1) }
    #expect(fields.count == 2)
    let form = fields.map { "--data-urlencode \(Shell.quoted("ban=\($0)"))" }.joined(separator: " ")
    #expect(try await server.ask("/bans/restore", as: "olga", "\(form) -d csrf=\(csrf)").status == 303)
    let after = try await bans()
    #expect(after.keys.sorted() == before.keys.sorted() && after["operator"] == .some(nil), "\(after)")
    // To the second in which the link was made.
    #expect((after["sshd"] ?? nil)?.prefix(16) == (before["sshd"] ?? nil)?.prefix(16), "\(after) \(before)")
  }

  /// Lines that are sent are tried; a name is no path, and nothing is unpacked.
  @Test func linesAreTried() async throws {
    let server = try await Server()
    try await server.addUser("lena", "look")
    _ = try await server.logIn("lena")
    let csrf = try await server.csrf(of: "lena")
    let line = "2026-11-29T05:00:00Z web sshd[812]: Failed password for root from 203.0.113.7 port 4711 ssh2"
    let page = try await server.ask(
      "/try", as: "lena", "-d csrf=\(csrf) -d filter=sshd --data-urlencode \(Shell.quoted("lines=\(line)\nnothing"))")
    #expect(page.status == 200 && page.body.contains("a failure") && page.body.contains(">203.0.113.7</a>"))
    #expect(try await server.ask("/try", as: "lena", "-d csrf=x -d filter=sshd -d lines=a").status == 403)
    func api(_ path: String, _ body: String) async throws -> (status: Int, body: String) {
      let answer = try await server.ask(
        path, as: "lena", "-H 'Bailiff-CSRF: \(csrf)' --data-binary \(Shell.quoted(body))")
      return (answer.status, answer.body)
    }
    let tried = try await api("/api/v1/filters/test", #"{"filter":"sshd","lines":"\#(line)\nnothing"}"#)
    #expect(tried.body.contains(#""line":1,"result":"failure""#) && tried.body.contains(#""line":2,"result":"none""#))
    for name in ["/etc/passwd", "../sshd", "sshd.conf", ""] {
      let refused = try await api("/api/v1/filters/test", #"{"filter":"\#(name)","lines":"a"}"#)
      #expect(refused.status == 400 && refused.body.contains("no filter's name"), "\(refused)")
    }
    #expect(try await api("/api/v1/filters/detect", #"{"lines":"\#(line)"}"#).body.contains(#""filter":"sshd""#))
    let log = Array(repeating: line, count: 2).joined(separator: "\\n")
    let own = try await api("/api/v1/replay", #"{"jail":"sshd","log":"\#(log)"}"#)
    #expect(own.body.contains(#""failures":2"#) && own.body.contains(#""bans":0"#), "\(own)")
    let strict = try await api("/api/v1/replay", #"{"jail":"sshd","log":"\#(log)","maxretry":2}"#)
    #expect(strict.body.contains(#""action":"ban""#) && strict.body.contains(#""bans":1"#), "\(strict)")
    #expect(try await api("/api/v1/replay", #"{"jail":"nowhere","log":""}"#).status == 400)
    #expect(try await server.ask("/api/v1/check", as: "lena").status == 200)
  }

  @Test func strangersAndOtherSites() async throws {
    let server = try await Server()
    try await server.addUser("alice", "administer")
    #expect(try await server.ask("/login", as: "nobody", "-H 'Host: evil.example'").status == 421)
    #expect(try await server.ask("/", as: "nobody", "-H 'Host: evil.example'").status == 421)
    #expect(try await server.logIn("alice", password: "correct horse", "-H 'Sec-Fetch-Site: cross-site'").status == 403)
    for next in ["//evil.example", "https://evil.example/", "/\\evil.example", "javascript:alert(1)"] {
      let page = try await server.ask(
        "/login?next=\(next.addingPercentEncoding(withAllowedCharacters: .alphanumerics)!)")
      #expect(page.body.contains("name=\"next\" value=\"/\""), "\(next)")
    }
    #expect(try await server.ask("/login", as: "nobody", "-d \(String(repeating: "a", count: 9000))").status == 413)
    #expect(try await server.ask("/login", as: "nobody", "-H 'Content-Type: application/json' -d '{}'").status == 400)
    // Who guesses waits, right or wrong, and is counted by the jail of the settings.
    var statuses: [Int] = []
    // A guess takes a while where much runs at once; the wait doubles until it is longer.
    while statuses.count < 12, statuses.last != 429 {
      statuses.append(try await server.logIn("alice", password: "wrong password").status)
    }
    #expect(statuses.prefix(5).allSatisfy { $0 == 401 } && statuses.last == 429, "\(statuses)")
    #expect(try await server.logIn("alice").status == 429)
    try await poll("the jail has counted") {
      try await server.bailiff("audit", "--jail", "logins", "--json").output.contains("127.0.0.1")
    }
  }

  /// Who is logged out, removed or revoked hears nothing more, also where a stream was open.
  @Test func streamsEndWithWhoOpenedThem() async throws {
    let server = try await Server()
    try await server.addUser("alice", "look")
    try await server.addUser("bob", "look")
    _ = try await server.logIn("alice")
    _ = try await server.logIn("bob")
    let alice = try await server.csrf(of: "alice")
    let token = try await server.bailiff("token", "add", "screen", "--role", "look").output
    let secret = try #require(token.firstMatch(of: /bailiff_[A-Za-z0-9_-]+/).map { String($0.0) })

    let streams = [
      "alice": "-b \(server.directory("cookies-alice"))", "bob": "-b \(server.directory("cookies-bob"))",
      "screen": "-H 'Authorization: Bearer \(secret)'",
    ]
    try await withThrowingTaskGroup(of: (String, Int32).self) { group in
      for (name, who) in streams {
        let command =
          "curl -sN --max-time 60 \(who) -o \(server.directory("stream-\(name)")) "
          + "'http://127.0.0.1:\(server.port)/api/v1/events?after=now'"
        group.addTask { (name, try await Shell.run(command).status) }
      }
      for name in streams.keys {
        try await poll("\(name) listens") {
          (try? String(contentsOfFile: server.directory("stream-\(name)"), encoding: .utf8))?.contains("retry:") == true
        }
      }
      #expect(try await server.ask("/logout", as: "alice", "-d csrf=\(alice)").status == 303)
      #expect(try await server.bailiff("user", "remove", "bob").status == 0)
      #expect(try await server.bailiff("token", "revoke", "screen").status == 0)
      // 28 would be curl's own end after a minute.
      for try await (name, status) in group { #expect(status == 0, "\(name)") }
    }
  }

  /// Each of them would be the first, if only failures that are over were counted.
  @Test func guessesAtOnceAreCountedAtOnce() async throws {
    let server = try await Server()
    try await server.addUser("alice", "look")
    let answers = try await Shell.run(
      """
      for guess in $(seq 20); do
        curl -s -o /dev/null -w '%{http_code}\n' -d name=alice -d password=wrong-$guess http://127.0.0.1:\(server.port)/login &
      done; wait
      """
    ).text.split(separator: "\n")
    #expect(answers.count == 20 && answers.contains("429"), "\(answers)")
  }
}
