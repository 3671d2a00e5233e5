import AuditLog
import Foundation
import Model
import Settings
import Synchronization
import System
import TestSupport
import Testing

@testable import Outputs

/// Edges, with the programs that they are for.
struct EdgeTests {
  private static func subnets(_ texts: String...) -> [Subnet] { texts.compactMap { Subnet($0) } }

  /// A program that ends with the test.
  private final class Running {
    let process = Process()

    init(_ command: [String]) throws {
      process.executableURL = URL(filePath: command[0])
      process.arguments = Array(command.dropFirst())
      process.standardOutput = FileHandle.nullDevice
      process.standardError = FileHandle.nullDevice
      try process.run()
    }

    deinit {
      process.terminate()
      process.waitUntilExit()
    }
  }

  @Test func nginxRefusesWhoIsBanned() async throws {
    let directory = try TestDirectory("edge")
    let bans = try directory.write("bans", "")
    let config = try directory.write(
      "nginx.conf",
      """
      daemon off; pid \(directory("pid")); error_log \(directory("error.log")); worker_processes 1;
      events {}
      http {
        access_log off;
        geo $bailiff { default 0; include \(bans); }
        server { listen unix:\(directory("socket")); set_real_ip_from unix:; real_ip_header X-Real-IP;
                 if ($bailiff) { return 403; } location / { return 204; } }
      }
      """)
    let nginx = try Running(["/usr/sbin/nginx", "-e", directory("error.log"), "-c", config])
    defer { withExtendedLifetime(nginx) {} }
    func status(_ client: String) async throws -> String {
      try await Shell.run(
        "curl -s -o /dev/null -w '%{http_code}' -H 'X-Real-IP: \(client)' --unix-socket \(directory("socket")) http://x/"
      ).text
    }
    try await poll("nginx listens") { try await status("192.0.2.7") == "204" }
    let edge = EdgeFile(
      path: bans, format: .nginx,
      reload: ["/usr/sbin/nginx", "-e", directory("error.log"), "-c", config, "-s", "reload"])
    #expect(try edge.hold(Self.subnets("192.0.2.7", "198.51.100.0/24", "2001:db8:1::/64")).hasSuffix("ended with 0"))
    try await poll("nginx has read it") { try await status("192.0.2.7") == "403" }
    #expect(try await [status("198.51.100.200"), status("2001:db8:1::9")] == ["403", "403"])
    #expect(try await [status("192.0.2.8"), status("2001:db8:2::9")] == ["204", "204"])
    #expect(try edge.hold(Self.subnets("192.0.2.7", "198.51.100.0/24", "2001:db8:1::/64")).hasSuffix("as before"))
    _ = try edge.hold([])
    try await poll("nginx has read it") { try await status("192.0.2.7") == "204" }
    // A reload that fails is an error, and is tried again although the bans are the same.
    let broken = EdgeFile(path: bans, format: .nginx, reload: ["/bin/false"])
    for _ in 0..<2 {
      #expect(throws: DeliveryError.self) { try broken.hold(Self.subnets("192.0.2.9")) }
    }
  }

  @Test func apacheRefusesWhoIsBanned() async throws {
    let directory = try TestDirectory("edge")
    let bans = directory("bans")
    let port = Int.random(in: 20_000..<32_000)
    let modules = ["mpm_event", "authz_core", "authz_host", "remoteip"].map {
      "LoadModule \($0)_module /usr/lib/apache2/modules/mod_\($0).so"
    }
    try FileManager.default.createDirectory(atPath: directory("www"), withIntermediateDirectories: true)
    try directory.write("www/index.html", "behind")
    let config = try directory.write(
      "apache.conf",
      """
      \(modules.joined(separator: "\n"))
      ServerName x
      DefaultRuntimeDir \(directory.path)
      PidFile \(directory("pid"))
      ErrorLog \(directory("error.log"))
      Listen 127.0.0.1:\(port)
      RemoteIPHeader X-Real-IP
      RemoteIPInternalProxy 127.0.0.1
      DocumentRoot \(directory("www"))
      <Directory "\(directory("www"))">
        <RequireAll>
          Require all granted
          IncludeOptional \(bans)
        </RequireAll>
      </Directory>

      """)
    let apache = ["/usr/sbin/apache2", "-f", config]
    // A child of the tests inherits that SIGTERM is blocked, and Apache leaves it so.
    let unblocked =
      "import os, signal, sys; signal.pthread_sigmask(signal.SIG_SETMASK, []); os.execv(sys.argv[1], sys.argv[1:])"
    let running = try Running(["/usr/bin/python3", "-c", unblocked] + apache + ["-DFOREGROUND"])
    defer { withExtendedLifetime(running) {} }
    func answer(_ client: String) async throws -> String {
      try await Shell.run(
        "curl -s -o /dev/null -w '%{http_code}' -H 'X-Real-IP: \(client)' http://127.0.0.1:\(port)/index.html"
      ).text
    }
    try await poll("apache listens") { try await answer("192.0.2.7") == "200" }
    let edge = EdgeFile(path: bans, format: .apache, reload: apache + ["-k", "graceful"])
    let held = Self.subnets("192.0.2.7", "198.51.100.0/24", "2001:db8:1::/64")
    #expect(try edge.hold(held).hasSuffix("ended with 0"))
    try await poll("apache has read it") { try await answer("192.0.2.7") == "403" }
    #expect(try await [answer("198.51.100.200"), answer("2001:db8:1::9")] == ["403", "403"])
    #expect(try await [answer("192.0.2.8"), answer("2001:db8:2::9")] == ["200", "200"])
    _ = try edge.hold([])
    try await poll("apache has read it") { try await answer("192.0.2.7") == "200" }
  }

  @Test func haproxyRefusesWhoIsBanned() async throws {
    let directory = try TestDirectory("edge")
    let acl = try directory.write("acl", "203.0.113.5\n")
    let config = try directory.write(
      "haproxy.cfg",
      """
      global
        stats socket \(directory("admin")) level admin
      defaults
        mode http
        timeout client 10s
        timeout server 10s
        timeout connect 10s
      frontend web
        bind unix@\(directory("socket"))
        acl banned hdr_ip(X-Real-IP) -f \(acl)
        http-request deny if banned
        http-request return status 204

      """)
    let haproxy = try Running(["/usr/sbin/haproxy", "-db", "-f", config])
    defer { withExtendedLifetime(haproxy) {} }
    func status(_ client: String) async throws -> String {
      try await Shell.run(
        "curl -s -o /dev/null -w '%{http_code}' -H 'X-Real-IP: \(client)' --unix-socket \(directory("socket")) http://x/"
      ).text
    }
    try await poll("haproxy listens") { try await status("192.0.2.7") == "204" }
    #expect(try await status("203.0.113.5") == "403")
    let edge = HAProxyEdge(socket: directory("admin"), acl: acl)
    let first = try edge.hold(Self.subnets("192.0.2.7", "198.51.100.0/24", "2001:db8:1::/64"))
    #expect(first == "3 bans in haproxy's ACL, 4 changed")
    #expect(try await [status("192.0.2.7"), status("2001:db8:1::9")] == ["403", "403"])
    #expect(try await [status("192.0.2.8"), status("203.0.113.5")] == ["204", "204"])
    // What somebody else changed is put right, and the file is what haproxy begins with.
    _ = try StreamSocket.ask(directory("admin"), Array("clear acl \(acl)\n".utf8))
    #expect(try await status("192.0.2.7") == "204")
    let again = try edge.hold(Self.subnets("192.0.2.7", "198.51.100.0/24", "2001:db8:1::/64"))
    #expect(again == "3 bans in haproxy's ACL, 3 changed")
    #expect(try String(contentsOfFile: acl, encoding: .utf8) == "192.0.2.7\n198.51.100.0/24\n2001:db8:1::/64\n")
    // Many, in several lines of commands.
    let many = (0..<1000).map { Subnet("10.0.\($0 / 250).\($0 % 250)")! }
    #expect(try edge.hold(many) == "1,000 bans in haproxy's ACL, 1003 changed")
    #expect(try edge.hold(many) == "1,000 bans in haproxy's ACL, 0 changed")
    let other = HAProxyEdge(socket: directory("admin"), acl: "/no/such")
    #expect { try other.hold(many) } throws: { "\($0)".contains("haproxy: ") }
  }

  @Test func cloudflareHoldsOurRulesAlone() throws {
    let receiver = try Receiver("cloudflare_receiver.py")
    let directory = try TestDirectory("edge")
    let token = try directory.write("token", "s3cret\n")
    try TestDirectory.chmod(token, 0o600)
    var settings = CloudflareSettings(scope: .zone(String(repeating: "0", count: 32)), token: .file(token))
    settings.url = "http://127.0.0.1:\(receiver.port)"
    let edge = CloudflareEdge(settings, host: "web", version: "1")
    func held() throws -> Set<String> {
      let data = try Data(contentsOf: URL(filePath: receiver.directory + "/rules"))
      let rules = try JSONSerialization.jsonObject(with: data) as? [[String: Any]] ?? []
      return Set(rules.compactMap { ($0["configuration"] as? [String: Any])?["value"] as? String })
    }
    // The one that somebody else made is enough, and stays.
    let bans = Self.subnets(
      "192.0.2.7", "198.51.100.1", "198.51.0.0/16", "2001:db8:1::/64", "2001:db8::7", "10.0.0.0/20")
    let first = try edge.hold(bans)
    #expect(first.hasPrefix("5 bans in Cloudflare's rules, 5 new, 0 removed; ") && first.hasSuffix(": 1 left out"))
    #expect(try held() == ["192.0.2.7", "198.51.100.1", "198.51.0.0/16", "2001:db8:1::/64", "2001:db8::7"])
    #expect(try edge.hold(Self.subnets("192.0.2.8")) == "1 ban in Cloudflare's rules, 1 new, 4 removed")
    #expect(try held() == ["192.0.2.8", "198.51.100.1"])
    _ = try edge.hold([])
    #expect(try held() == ["198.51.100.1"])
    try directory.write("token", "wrong\n")
    #expect { try edge.hold(bans) } throws: { "\($0)".contains("403: Invalid access token (9109)") }
  }

  @Test func whatComesTogetherGoesTogether() throws {
    let directory = try TestDirectory("edge")
    var settings = Settings()
    settings.state = directory.path
    let edge = CountingEdge()
    let time = TestTime()
    let keeper = EdgeKeeper(
      EdgeSettings(.file(path: "", format: .plain, reload: [])), edge, jails: ["sshd"], bans: BansInForce(settings),
      counters: OutputCounters(name: "x", type: "edge") { _ in }, clock: time.clock)
    try AuditStore(path: settings.database).close()
    func row(_ kind: AuditRow.Kind, _ action: String, jail: String = "") -> AuditRow {
      var row = AuditRow(kind: kind, number: 1, time: Instant(microseconds: 0), action: action)
      row.jail = jail
      return row
    }
    #expect(keeper.receive([row(.operator, "start")]) == .done && edge.calls == 1)
    #expect(keeper.receive([row(.operator, "note"), row(.ban, "ban", jail: "web")]) == .done && edge.calls == 1)
    guard case .later = keeper.receive([row(.ban, "ban", jail: "sshd")]) else {
      Issue.record("a ban right behind another is told at once")
      return
    }
    time.advance(6)
    #expect(keeper.receive([row(.ban, "ban", jail: "sshd"), row(.unban, "unban", jail: "sshd")]) == .done)
    #expect(edge.calls == 2)
    edge.fails = true
    time.advance(6)
    guard case .refused("down", _, handled: 0) = keeper.receive([row(.ban, "ban", jail: "sshd")]) else {
      Issue.record("a failure is said")
      return
    }
  }
}

/// A clock that goes when it is told to.
private final class TestTime: Sendable {
  private let seconds = Mutex(100.0)

  func advance(_ more: Double) { seconds.withLock { $0 += more } }

  var clock: OutputClock {
    OutputClock(
      now: { Instant(microseconds: 0) }, monotonic: { self.seconds.withLock { $0 } }, random: { 0.5 })
  }
}

/// Counts how often it is told.
private final class CountingEdge: Edge, @unchecked Sendable {
  var calls = 0
  var fails = false

  func hold(_ bans: [Subnet]) throws(DeliveryError) -> String {
    calls += 1
    if fails { throw .unreachable("down") }
    return ""
  }
}
