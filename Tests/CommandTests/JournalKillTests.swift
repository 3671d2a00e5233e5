import Foundation
import Synchronization
import TestSupport
import Testing

/// The built daemon reads a journal that rotates and is vacuumed, and loses its process at any instant.
@Suite(.serialized, .timeLimit(.minutes(5))) struct JournalKillTests {
  @Test func everyEntryIsInTheAuditExactlyOnce() async throws {
    let journal = try TestJournal()
    let config = try settings(journal)
    let seed = UInt64.random(in: 0..<1_000_000)
    var random = Random(state: seed)
    var daemon = try RunningDaemon(config, in: journal.enter)
    defer { daemon.kill() }
    let service = try journal.service()
    try service.write(10)
    try await poll("the first entries") { try await users(journal, config).count == 10 }
    service.start()
    let kills = 10
    var rotations = 0
    var vacuumed = 0
    for _ in 0..<kills {
      let written = service.count
      usleep(UInt32(100_000 + random.next() % 500_000))
      daemon.kill()
      for _ in 0..<random.next() % 3 {
        try await journal.run("journalctl --rotate")
        rotations += 1
        usleep(UInt32(random.next() % 100_000))
      }
      daemon = try RunningDaemon(config, in: journal.enter)
      if random.next() % 2 == 0 {
        // What was read may go.
        try await poll("what was written before") { try await users(journal, config).count >= written }
        let before = try await journal.files()
        try await journal.run("journalctl --vacuum-files=4")
        vacuumed += max(0, before - (try await journal.files()))
      }
    }
    let written = service.stop()
    var found: [String] = []
    try await poll("every failure") {
      found = try await users(journal, config)
      return found.count >= written
    }
    let expected = Set((0..<written).map { "u\($0)" })
    let lost = expected.subtracting(found)
    print(
      "journal: \(kills) kills, \(rotations) rotations, \(vacuumed) files vacuumed, \(written) entries: \(lost.count) lost, "
        + "\(found.count - Set(found).count) doubled (seed \(seed))")
    #expect(lost.isEmpty, "seed \(seed): \(lost.prefix(5))")
    #expect(found.count == Set(found).count, "seed \(seed)")
    let said = try await journal.bailiff("audit", "--kind", "operator", "--config", config).output
    #expect(!said.contains("source-failed"), "seed \(seed): \(said)")
    #expect(try await journal.bailiff("audit", "verify", "--config", config).status == 0)
    #expect(daemon.terminate() == 0)
  }

  /// What was read last is vacuumed away while nobody reads: it is said, and reading goes on with what is left.
  @Test func aCursorThatIsGoneIsSaid() async throws {
    let journal = try TestJournal()
    let config = try settings(journal)
    let first = try RunningDaemon(config, in: journal.enter)
    defer { first.kill() }
    let service = try journal.service()
    try service.write(20)
    try await poll("the first entries") { try await users(journal, config).count == 20 }
    first.kill()
    try service.write(20)
    try await journal.entries(40)
    try await journal.run("journalctl --rotate && journalctl --rotate && journalctl --vacuum-files=1")
    try service.write(20)
    try await journal.entries(20)

    let second = try RunningDaemon(config, in: journal.enter)
    defer { second.kill() }
    var found: [String] = []
    try await poll("what is left") {
      found = try await users(journal, config)
      return found.count >= 40
    }
    #expect(Set(found) == Set((Array(0..<20) + Array(40..<60)).map { "u\($0)" }))
    #expect(found.count == 40)
    let said = try await journal.bailiff("audit", "--kind", "operator", "--config", config).output
    #expect(said.contains("no longer in the journal"), "\(said)")
    #expect(second.terminate() == 0)
  }

  private func users(_ journal: TestJournal, _ config: String) async throws -> [String] {
    let audit = try await journal.bailiff("audit", "--json", "--kind", "failure", "--config", config)
    guard audit.status == 0 else { return [] }
    return try audit.objects.compactMap { $0["user"] as? String }
  }

  private func settings(_ journal: TestJournal) throws -> String {
    let filters = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../filters")
      .standardizedFileURL
    return try journal.scratch.write(
      "bailiff.yaml",
      """
      state: \(journal.scratch.path)/state
      socket: \(journal.scratch.path)/s
      filters: [\(filters.path(percentEncoded: false))]
      ignoreself: false
      jails:
        sshd: {filter: sshd, backend: journal, journalmatch: [SYSLOG_IDENTIFIER=sshd], port: [ssh], maxretry: 1000000}

      """)
  }
}

/// A journald of its own in a mount namespace; both end with the process that holds them.
final class TestJournal {
  let scratch: TestDirectory
  private let held: HeldNamespaces

  init() throws {
    scratch = try TestDirectory("journal")
    held = try HeldNamespaces(
      .mount,
      setup: """
        cp -a /etc \(scratch.path)/etc; mount --bind \(scratch.path)/etc /etc
        mount -t tmpfs tmpfs /run; mount -t tmpfs tmpfs /var/log
        rm -f /etc/machine-id; tr -d - </proc/sys/kernel/random/uuid >/etc/machine-id
        mkdir -p /run/systemd/journal /run/log/journal /var/log/journal/$(cat /etc/machine-id) /etc/systemd
        printf '[Journal]\\nStorage=persistent\\nRateLimitIntervalSec=0\\nRateLimitBurst=0\\nReadKMsg=no\\nAudit=no\\n' \
          >/etc/systemd/journald.conf
        rm -rf /etc/systemd/journald.conf.d
        setpriv --pdeathsig KILL /lib/systemd/systemd-journald 2>/dev/null &
        until [ -S /run/systemd/journal/stdout ]; do sleep 0.1; done
        touch /run/systemd/journal/flushed; journalctl --flush
        """)
  }

  var enter: [String] { held.enter }

  func bailiff(_ arguments: String...) async throws -> Finished {
    try await Command.run(enter + [Binary.path] + arguments)
  }

  @discardableResult
  func run(_ line: String) async throws -> String {
    let finished = try await Command.run(enter + ["/bin/sh", "-c", line])
    try #require(finished.status == 0, "\(line): \(finished)")
    return finished.output
  }

  func files() async throws -> Int {
    Int(try await run("ls /var/log/journal/*/*.journal | wc -l").trimmingCharacters(in: .whitespacesAndNewlines)) ?? 0
  }

  /// Waits until journald has taken so many of the service's entries.
  func entries(_ count: Int) async throws {
    try await poll("\(count) entries") {
      let text = try await run("journalctl -q -t sshd -o cat | wc -l")
      return Int(text.trimmingCharacters(in: .whitespacesAndNewlines)) ?? 0 >= count
    }
  }

  func service() throws -> JournalService { try JournalService(enter) }
}

/// A service that logs failed logins to the journal, each of a user of its own.
final class JournalService: Sendable {
  private let process = Process()
  private let input = Pipe()
  private let written = Mutex(0)
  private let isEnding = Mutex(false)
  private let ended = DispatchSemaphore(value: 0)

  init(_ enter: [String]) throws {
    let command = enter + ["/usr/bin/systemd-cat", "-t", "sshd", "/bin/cat"]
    process.executableURL = URL(fileURLWithPath: command[0])
    process.arguments = Array(command.dropFirst())
    process.standardInput = input
    try process.run()
  }

  deinit { try? input.fileHandleForWriting.close() }

  var count: Int { written.withLock { $0 } }

  func write(_ count: Int) throws {
    for _ in 0..<count {
      let n = written.withLock { n in
        defer { n += 1 }
        return n
      }
      let address = "198.51.\(100 + n / 250 % 50).\(1 + n % 250)"
      try input.fileHandleForWriting.write(
        contentsOf: Data("Failed password for invalid user u\(n) from \(address) port 4711 ssh2\n".utf8))
    }
  }

  func start() {
    Thread.detachNewThread { [self] in
      while !isEnding.withLock({ $0 }) {
        try? write(1)
        usleep(1000)
      }
      ended.signal()
    }
  }

  /// How many entries it wrote.
  func stop() -> Int {
    isEnding.withLock { $0 = true }
    ended.wait()
    return count
  }
}
