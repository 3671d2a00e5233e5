import Foundation
import TestSupport
import Testing

/// What bouncers and proxies are told by a running daemon.
@Suite(.timeLimit(.minutes(5))) struct CompatTests {
  private final class Server {
    let directory: TestDirectory
    let daemon: RunningDaemon
    let config: String
    let bouncers = Int.random(in: 20_000..<26_000)
    let check = Int.random(in: 26_000..<32_000)
    static let key = "0123456789abcdef0123456789abcdef"

    init() throws {
      directory = try TestDirectory("compat")
      try directory.write("auth.log", "")
      let secret = try directory.write("edge", Self.key + "\n")
      try TestDirectory.chmod(secret, 0o600)
      config = try directory.write(
        "bailiff.yaml",
        """
        state: \(directory("state"))
        socket: \(directory("socket"))
        firewall: {backend: dry-run}
        compat:
          crowdsec: {listen: "127.0.0.1:\(bouncers)", keys: {edge1: {file: \(secret)}, edge2: ffffffffffffffffffff}}
          check: {listen: "127.0.0.1:\(check)"}
        jails:
          sshd: {filter: sshd, backend: files, logpath: [\(directory("auth.log"))], maxretry: 3}
        """)
      daemon = try RunningDaemon(config, isDryRun: false)
    }

    deinit { daemon.kill() }

    func ask(_ path: String, key: String? = key, _ options: String = "") async throws -> (status: String, body: String)
    {
      let header = key.map { "-H 'X-Api-Key: \($0)'" } ?? ""
      let result = try await Shell.run(
        "curl -s -w '\\n%{http_code}' \(header) \(options) 'http://127.0.0.1:\(bouncers)\(path)'")
      let lines = result.text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
      return (lines.last ?? "", lines.dropLast().joined(separator: "\n"))
    }

    func stream(_ query: String = "") async throws -> (deleted: [String], new: [String]) {
      let answer = try await ask("/v1/decisions/stream?\(query)")
      let object = try #require(try JSONSerialization.jsonObject(with: Data(answer.body.utf8)) as? [String: Any])
      func values(_ name: String) -> [String] {
        (object[name] as? [[String: Any]] ?? []).compactMap { $0["value"] as? String }.sorted()
      }
      // pycrowdsec needs both.
      #expect(object.keys.sorted() == ["deleted", "new"])
      return (values("deleted"), values("new"))
    }

    func bailiff(_ arguments: String...) async throws {
      let result = try await Binary.run(arguments + ["--config", config])
      #expect(result.status == 0, "\(arguments): \(result.error)")
    }
  }

  @Test func bouncersAreTold() async throws {
    let server = try Server()
    try await poll("it listens") { try await server.ask("/health").status == "200" }
    #expect(try await server.ask("/v1/decisions/stream?startup=true", key: nil).status == "403")
    let wrong = try await server.ask("/v1/decisions", key: "00000000000000000000000000000000")
    #expect(wrong.status == "403" && wrong.body == #"{"message":"access forbidden"}"#)
    #expect(try await server.ask("/v1/decisions").body == "null")
    try await server.bailiff("ban", "192.0.2.7", "--jail", "sshd", "--for", "1h")
    try await server.bailiff("ban", "2001:db8:1::/64", "--jail", "sshd", "--for", "1h")
    try await poll("the view has them") { try await server.ask("/v1/decisions").body.contains("2001:db8:1::/64") }
    #expect(try await server.stream("startup=true") == ([], ["192.0.2.7", "2001:db8:1::/64"]))
    #expect(try await server.stream() == ([], []))
    try await server.bailiff("unban", "192.0.2.7")
    try await poll("its end is told") { try await server.stream().deleted == ["192.0.2.7"] }
    let answer = try await server.ask("/v1/decisions?ip=2001:db8:1::5")
    let list = try #require(try JSONSerialization.jsonObject(with: Data(answer.body.utf8)) as? [[String: Any]])
    #expect(list.count == 1 && list[0]["scope"] as? String == "Range" && list[0]["type"] as? String == "ban")
    #expect(list[0]["scenario"] as? String == "bailiff/sshd" && list[0]["origin"] as? String == "bailiff")
    #expect((list[0]["duration"] as? String)?.hasSuffix("s") == true && list[0]["id"] as? Int != nil)
    #expect(try await server.ask("/v1/decisions?scopes=ip").body == "null")
    #expect(try await server.ask("/v1/decisions?scenarios_containing=nginx").body == "null")
    #expect(try await server.ask("/v1/decisions", "-I").status == "200")
    #expect(try await server.ask("/v1/usage-metrics", "-X POST -d '{}'").status == "201")
    // Another bouncer is told for itself.
    let other = try await server.ask("/v1/decisions/stream", key: "ffffffffffffffffffff")
    #expect(other.body.contains("2001:db8:1::/64"))
  }

  @Test func proxiesAsk() async throws {
    let server = try Server()
    func check(_ header: String) async throws -> String {
      try await Shell.run(
        "curl -s -o /dev/null -w '%{http_code}' -H '\(header)' http://127.0.0.1:\(server.check)/v1/check"
      ).text
    }
    try await poll("it listens") { try await check("X-Forwarded-For: 192.0.2.7") == "200" }
    try await server.bailiff("ban", "192.0.2.7", "--jail", "sshd", "--for", "1h")
    try await poll("the ban is known") { try await check("X-Forwarded-For: 192.0.2.7") == "403" }
    // What a client wrote itself stands before what its proxy added.
    #expect(try await check("X-Forwarded-For: 198.51.100.1, 192.0.2.7") == "403")
    #expect(try await check("X-Forwarded-For: 192.0.2.7, 198.51.100.1") == "200")
    #expect(try await check("X-Forwarded-For: 192.0.2.7:4711") == "403")
    #expect(try await check("X-Other: x") == "400")
    #expect(try await check("X-Forwarded-For: unknown") == "400")
    try await server.bailiff("unban", "192.0.2.7")
    try await poll("its end is known") { try await check("X-Forwarded-For: 192.0.2.7") == "200" }
  }
}
