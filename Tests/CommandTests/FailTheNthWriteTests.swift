import Foundation
import TestSupport
import Testing

/// One write, sync or truncation of the store fails, whichever it is: in the end store and kernel agree, nothing is lost and
/// nothing counted twice.
@Suite(.timeLimit(.minutes(20))) struct FailTheNthWriteTests {
  @Test func theNthWriteFails() async throws {
    let tools = try TestDirectory()
    let shim = tools.path + "/fault.so"
    let source = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "../../fixtures/faults/fail-nth-write.c").standardizedFileURL.path(percentEncoded: false)
    let built = try await Command.run(["/usr/bin/env", "cc", "-O1", "-shared", "-fPIC", "-o", shim, source, "-ldl"])
    try #require(built.status == 0, "\(built.error)")
    var calls: [String: Int] = [:]
    var n = 1
    // Each waits more than it works: some at a time.
    var isOver = false
    while !isOver {
      try #require(n < 1000)
      let found = try await withThrowingTaskGroup(of: (Int, String?).self) { group in
        for n in n..<n + 4 { group.addTask { (n, try await live(failing: n, shim)) } }
        return try await group.reduce(into: [Int: String?]()) { $0[$1.0] = .some($1.1) }
      }
      for number in found.keys.sorted() {
        guard let call = found[number] ?? nil else {
          isOver = true
          break
        }
        calls[call, default: 0] += 1
        n = number + 1
      }
    }
    print(
      "store: each of \(n - 1) calls failed once (\(calls.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" })), "
        + "and store and kernel agreed afterwards")
    #expect(n > 20)
    #expect(calls.count >= 2)
  }

  /// The life of a daemon whose n-th call fails, and of the one that comes after it. Returns the call; nil when there were
  /// not so many.
  private func live(failing n: Int, _ shim: String) async throws -> String? {
    let scratch = try TestDirectory()
    let network = try TestNetwork()
    let config = try settings(scratch)
    let report = scratch.path + "/failed"
    let faults = [
      "LD_PRELOAD": shim, "FAULT_AT": "\(n)", "FAULT_ERRNO": "\(n % 2 == 0 ? ENOSPC : EIO)",
      "FAULT_FILES": "/state/bailiff.db", "FAULT_REPORT": report,
    ]
    let log = try LogFile(scratch.path + "/auth.log")
    try log.write(lines(0..<3))
    var daemon = try RunningDaemon(config, in: network.enter, isDryRun: false, environment: faults)
    defer { daemon.kill() }
    var starts = 1
    try await quickly("the first ban (n = \(n))") {
      if !daemon.isRunning {
        // It could not open its store, and said so; systemd starts it again.
        #expect(FileManager.default.fileExists(atPath: report), "it ended by itself, n = \(n)")
        starts += 1
        daemon = try RunningDaemon(config, in: network.enter, isDryRun: false, environment: faults)
      }
      return try network.banned() == ["192.0.2.1"]
    }
    #expect(starts <= 2)
    try log.write(lines(3..<5))
    try await quickly("the second ban (n = \(n))") { try network.banned() == ["192.0.2.1", "192.0.2.2"] }
    #expect(daemon.terminate() == 0)
    let call = try? String(contentsOfFile: report, encoding: .utf8)

    daemon = try RunningDaemon(config, in: network.enter, isDryRun: false)
    var users: [String] = []
    try await quickly("every failure (n = \(n))") {
      let audit = try await Binary.run("audit", "--json", "--kind", "failure", "--config", config)
      users = audit.status == 0 ? try audit.objects.compactMap { $0["user"] as? String } : []
      return users.count >= 5
    }
    #expect(daemon.terminate() == 0)
    #expect(users.sorted() == ["u0", "u1", "u2", "u3", "u4"], "n = \(n), \(call ?? "none")")
    let bans = try await Binary.run("audit", "--json", "--kind", "ban", "--config", config)
    #expect(
      try bans.objects.compactMap { $0["id"] as? String }.sorted() == ["192.0.2.1", "192.0.2.2"], "n = \(n): \(bans)")
    #expect(try network.banned() == ["192.0.2.1", "192.0.2.2"], "n = \(n)")
    let verified = try await Binary.run("audit", "verify", "--config", config)
    #expect(verified.status == 0, "n = \(n): \(verified)")
    return call
  }

  /// Polls often: this is done hundreds of times.
  private func quickly(_ what: String, _ body: () async throws -> Bool) async throws {
    let deadline = Date(timeIntervalSinceNow: 60)
    while !(try await body()) {
      try #require(Date() < deadline, "waited in vain for \(what)")
      try await Task.sleep(for: .milliseconds(20))
    }
  }

  /// Two failures of each address, and one of a third.
  private func lines(_ numbers: Range<Int>) -> String {
    numbers.map { n in
      let address = ["192.0.2.1", "192.0.2.1", "192.0.2.3", "192.0.2.2", "192.0.2.2"][n]
      return "\(Attack.now()) web sshd[812]: Failed password for invalid user u\(n) from \(address) port 4711 ssh2\n"
    }.joined()
  }

  private func settings(_ scratch: TestDirectory) throws -> String {
    let filters = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../filters")
      .standardizedFileURL
    return try scratch.write(
      "bailiff.yaml",
      """
      state: \(scratch.path)/state
      socket: \(scratch.path)/s
      filters: [\(filters.path(percentEncoded: false))]
      ignoreself: false
      jails:
        sshd: {filter: sshd, logpath: [\(scratch.path)/auth.log], port: [ssh], maxretry: 2, findtime: 1h, bantime: 1d}

      """)
  }
}
