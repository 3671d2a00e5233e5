import AuditLog
import Foundation
import Model
import TestSupport
import Testing

@testable import Pipeline

/// A pattern that needs more work than a line may cost loses that line and is said; it and the others go on.
@Suite(.timeLimit(.minutes(2))) struct QuarantineTests {
  private static let native = """
    service: bad
    summary: Catastrophic
    patterns:
      - name: catastrophic
        match: '^(?:a|aa)*(?:a|aa)*(?:a|aa)*b <host>$'
      - name: sound
        match: ' b <host> failed$'
    samples: []

    """

  @Test(arguments: ["bad", "bad.conf"]) func aCatastrophicPattern(_ filter: String) async throws {
    let bench = try Bench()
    let filters = bench.path + "/filters"
    try FileManager.default.createDirectory(atPath: filters, withIntermediateDirectories: true)
    try Self.native.write(toFile: filters + "/bad.yaml", atomically: true, encoding: .utf8)
    try "[Definition]\nfailregex = ^(?:a|aa)*(?:a|aa)*(?:a|aa)*b <ADDR>$\n            ^a+ b <ADDR> failed$\n".write(
      toFile: filters + "/bad.conf", atomically: true, encoding: .utf8)
    let reference = filter == "bad" ? "bad" : filters + "/bad.conf"
    try bench.configure("bad: {filter: \(reference), logpath: [\(bench.log)], maxretry: 3, findtime: 1h, bantime: 1d}")
    try bench.append([])
    let daemon = try bench.daemon()
    daemon.start()
    // Twelve lines that stop it, each a failure by the other pattern too.
    for n in 1...12 {
      try bench.append([String(repeating: "a", count: 300) + " b 192.0.2.\(n) failed"])
    }
    try await poll("the failures") { try bench.rows(.failure).count == 12 }
    let stopped = daemon.stoppedPatterns
    #expect(stopped.count == 1)
    #expect(stopped.first?.hits == 12)
    #expect(daemon.activeWarnings.contains { $0.code == .patternLimited && $0.subject.contains("bad/") })
    try await poll("the audit") { try bench.rows(.operator).count { $0.action == "pattern-quarantined" } == 2 }
    let event = try #require(try bench.rows(.operator).first { $0.action == "pattern-quarantined" })
    #expect(event.subject.hasPrefix("bad/"))

    // It sees the next line that is none of those.
    try bench.append(["aab 192.0.2.99"])
    try await poll("the failure") { try bench.rows(.failure).contains { $0.id == "192.0.2.99" } }

    // New settings begin to count again.
    _ = try await daemon.reload(uid: 0)
    #expect(daemon.stoppedPatterns.isEmpty)
    #expect(!daemon.activeWarnings.contains { $0.code == .patternLimited })
    try bench.append([String(repeating: "a", count: 300) + " b 192.0.2.1 failed"])
    try await poll("the next hit") { daemon.stoppedPatterns.first?.hits == 1 }
    await stop(daemon)
  }
}
