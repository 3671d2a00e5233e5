import AuditLog
import Foundation
import Model
import TestSupport
import Testing

@testable import Pipeline

/// Clients behind proxies: whom a trusted one spoke for is who did it, and the proxy is never banned.
@Suite(.timeLimit(.minutes(2))) struct TrustedProxyTests {
  private static let filter = """
    service: app
    summary: A web app behind proxies
    format: json
    fields: {host: ip, forwarded: headers.X-Forwarded-For, status: status}
    patterns:
      - name: denied
        where: {status: 401}
    samples: []

    """

  private static func line(_ peer: String, _ forwarded: String) -> String {
    #"{"status":401,"ip":"\#(peer)","headers":{"X-Forwarded-For":\#(forwarded)}}"#
  }

  @Test func theClientIsBannedAndTheProxyNever() async throws {
    let bench = try Bench()
    let filters = bench.path + "/filters"
    try FileManager.default.createDirectory(atPath: filters, withIntermediateDirectories: true)
    try Self.filter.write(toFile: filters + "/app.yaml", atomically: true, encoding: .utf8)
    try bench.configure(
      "app: {filter: app, logpath: [\(bench.log)], maxretry: 3, findtime: 1h, bantime: 1d, trusted_proxies: [198.51.100.0/28]}"
    )
    try bench.append([])
    let daemon = try bench.daemon()
    daemon.start()
    for n in 1...3 {
      try bench.append([
        // A client's own header in front, and two proxies; as one text and as several.
        Self.line("198.51.100.1", #"["203.0.113.\#(n)", "192.0.2.7, 198.51.100.2"]"#),
        Self.line("198.51.100.1", #""192.0.2.8""#),
        // Nobody knows who it was.
        Self.line("198.51.100.1", #""unknown""#), Self.line("198.51.100.1", "null"),
        // No proxy of ours: its header is a lie.
        Self.line("192.0.2.9", #""203.0.113.99""#),
      ])
    }
    try await poll("the bans") { try Set(bench.rows(.ban).map(\.id)) == ["192.0.2.7", "192.0.2.8", "192.0.2.9"] }
    // Lines alike in one second are one row.
    try await poll("the failures") { try bench.rows(.failure).map(\.count).reduce(0, +) == 15 }
    let proxy = try bench.rows(.failure).filter { $0.id == "198.51.100.1" }
    #expect(proxy.map(\.count).reduce(0, +) == 6)
    #expect(proxy.allSatisfy { $0.weight == 0 })
    await stop(daemon)
  }

  /// A jail whose lines are all about a bridge's address is said, until another one comes.
  @Test func aJailThatSeesOnlyAProxy() throws {
    var sole = SoleAddresses()
    var said: [String] = []
    func add(_ address: String, _ times: Int, jail: UInt16 = 0) {
      let failure = Failure(
        time: Instant(seconds: 0), address: Address(address)!, jail: jail, pattern: 0, source: 0)
      // swift-format-ignore: OnlyOneTrailingClosureArgument
      sole.add(Array(repeating: failure, count: times), jails: ["app", "lan"], isOwn: { $0 == Address("192.0.2.1") }) {
        said.append("\($0) \($1?.description ?? "others")")
      }
    }
    add("172.17.0.1", 19)
    #expect(said.isEmpty)
    add("172.17.0.1", 100)
    #expect(said == ["app 172.17.0.1"])
    add("192.0.2.77", 1)
    add("172.17.0.1", 100)
    #expect(said == ["app 172.17.0.1", "app others"])
    // A host of the local network that fails is no proxy.
    add("192.168.1.5", 100, jail: 1)
    #expect(said.count == 2)
    sole = SoleAddresses()
    add("192.0.2.1", 20, jail: 1)
    #expect(said.last == "lan 192.0.2.1")
  }
}
