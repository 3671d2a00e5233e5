import Foundation
import TestSupport
import Testing

/// `/api/v1/events`: what is stored is told as it is stored, and who comes back goes on where it was.
@Suite(.timeLimit(.minutes(3))) struct EventStreamTests {
  private struct Event: Equatable {
    var id: String
    var kind: String
    var data: String
  }

  private static func failures(_ address: String, _ count: Int) -> String {
    let stamp = ISO8601DateFormatter().string(from: Date())
    return (0..<count).map {
      "\(stamp) web sshd[\($0 + 9)]: Failed password for root from \(address) port 4711 ssh2\n"
    }.joined()
  }

  /// What a client sees within some seconds, and the answer's head.
  private func listen(_ scratch: TestDirectory, _ query: String, header: String? = nil) async throws -> String {
    let header = header.map { "-H 'Last-Event-ID: \($0)'" } ?? ""
    return try await Shell.run(
      "curl -sSNi --max-time 3 \(header) --unix-socket \(scratch.path)/s 'http://bailiff/api/v1/events\(query)'; true"
    ).text
  }

  private static func events(_ text: String) -> [Event] {
    text.replacing("\r\n", with: "\n").components(separatedBy: "\n\n").compactMap { block in
      let lines = block.split(separator: "\n")
      func value(_ name: String) -> String? {
        lines.first { $0.hasPrefix(name + ": ") }.map { String($0.dropFirst(name.count + 2)) }
      }
      guard let kind = value("event"), let data = value("data") else { return nil }
      return Event(id: value("id") ?? "", kind: kind, data: data)
    }
  }

  @Test func whoComesBackMissesNothing() async throws {
    let scratch = try TestDirectory("events")
    try scratch.write("a.log", Self.failures("192.0.2.7", 2))
    let config = try scratch.write(
      "bailiff.yaml",
      """
      state: \(scratch.path)/state
      socket: \(scratch.path)/s
      firewall: {backend: dry-run}
      jails:
        sshd: {filter: sshd, logpath: [\(scratch.path)/a.log], backend: files, maxretry: 3}
      """)
    let daemon = try RunningDaemon(config)
    try await poll("two failures") {
      try await Binary.run("audit", "--json", "--kind", "failure", "--config", config).objects.count == 2
    }
    let first = try await listen(scratch, "?after=beginning&kind=failure")
    #expect(first.contains("200 OK") && first.lowercased().contains("content-type: text/event-stream"), "\(first)")
    let seen = Self.events(first)
    #expect(seen.map(\.kind) == ["failure", "failure"])
    #expect(seen.allSatisfy { !$0.id.isEmpty && $0.data.contains("192.0.2.7") })

    // Only what is new, while it happens: the third failure and its ban.
    async let live = listen(scratch, "")
    try await Task.sleep(for: .milliseconds(700))
    try scratch.append(Self.failures("192.0.2.7", 1), to: "a.log")
    #expect(Self.events(try await live).map(\.kind).sorted() == ["ban", "failure"])

    // The browser's own header, after it was away.
    let again = Self.events(try await listen(scratch, "", header: try #require(seen.last).id))
    #expect(again.map(\.kind).filter { $0 != "operator" } == ["failure", "ban"], "\(again)")

    let wrong = try await listen(scratch, "?after=x")
    #expect(wrong.contains(" 400 ") && wrong.contains("no position in the audit"), "\(wrong)")
    #expect(daemon.terminate() == 0)
  }
}
