import Foundation
import TestSupport
import Testing

/// The disk under the store is full, and then it is not.
@Suite(.serialized, .timeLimit(.minutes(8))) struct FullDiskTests {
  /// Nothing is lost, and bans do not wait.
  @Test func waiting() async throws {
    let disk = try SmallDisk()
    let config = try settings(disk, onFull: "wait")
    let daemon = try RunningDaemon(config, in: disk.enter)
    defer { daemon.kill() }
    var users: Set<String> = []
    users.formUnion(try attack(disk, addresses: 0..<10))
    try await poll("the first bans") { try await bans(config) == 10 }
    try await poll("the first failures") { try await failures(disk, config).count == 30 }

    try disk.fill()
    users.formUnion(try attack(disk, addresses: 10..<210))
    try await poll("bans while the disk is full") { try await bans(config) == 210 }
    // Until something is written that does not fit.
    var more = 210
    try await poll("the store's complaint") {
      if try await storeProblem(config) != nil { return true }
      users.formUnion(try attack(disk, addresses: more..<more + 100))
      more += 100
      return false
    }
    users.formUnion(try attack(disk, addresses: more..<more + 50))
    more += 50
    try await poll("bans while the disk is full") { try await bans(config) == more }
    #expect(try await failures(disk, config).count < users.count)

    try disk.empty()
    try await poll("every failure") { try await failures(disk, config).count == users.count }
    #expect(Set(try await failures(disk, config)) == users)
    #expect(try await storeProblem(config) == nil)

    // Full again, and the daemon ends: what it could not store it reads again.
    try disk.fill()
    try await poll("the store's complaint") {
      users.formUnion(try attack(disk, addresses: more..<more + 100))
      more += 100
      return try await storeProblem(config) != nil
    }
    #expect(daemon.terminate() == 0)
    try disk.empty()
    let second = try RunningDaemon(config, in: disk.enter)
    defer { second.kill() }
    try await poll("every failure after a restart") { try await failures(disk, config).count >= users.count }
    let found = try await failures(disk, config)
    #expect(found.count == users.count)
    #expect(Set(found) == users)
    #expect(try await bans(config) == more)
    print("full disk, on_full wait: \(more) bans applied, \(users.count) failures stored, 0 lost, 0 doubled")
    #expect(second.terminate() == 0)
  }

  /// The audit goes on without them, and says how many.
  @Test func shedding() async throws {
    let disk = try SmallDisk()
    let config = try settings(disk, onFull: "shed")
    let daemon = try RunningDaemon(config, in: disk.enter)
    defer { daemon.kill() }
    var users = try attack(disk, addresses: 0..<10)
    try await poll("the first bans") { try await bans(config) == 10 }
    try disk.fill()
    var more = 10
    try await poll("failures that are let go") {
      users.formUnion(try attack(disk, addresses: more..<more + 100))
      more += 100
      return try await shed(config) > 0
    }
    try await poll("bans while the disk is full") { try await bans(config) == more }
    try disk.empty()
    users.formUnion(try attack(disk, addresses: more..<more + 10))
    more += 10
    var event = ""
    try await poll("the record of it") {
      event =
        try await disk.audit("operator", config).output.split(separator: "\n").map(String.init)
        .first { $0.contains("not in the audit") } ?? ""
      return !event.isEmpty
    }
    let gone = try await shed(config)
    try await poll("the others") { try await failures(disk, config).count + gone == users.count }
    #expect(event.contains("\(gone) failures"))
    // Every ban is recorded, those of failures that are not, too.
    #expect(try await disk.audit("ban", config).objects.count == more)
    print(
      "full disk, on_full shed: \(more) bans applied and recorded, \(gone) of \(users.count) failures shed and counted")
    #expect(daemon.terminate() == 0)
  }

  /// More than memory is meant to hold: the oldest failures are released and counted. Reading and bans once waited then, for
  /// as long as the disk was full, and a reload with them.
  @Test func waitingForLong() async throws {
    let disk = try SmallDisk(megabytes: 300)
    let config = try settings(disk, onFull: "wait")
    let daemon = try RunningDaemon(config, in: disk.enter)
    defer { daemon.kill() }
    _ = try attack(disk, addresses: 0..<10)
    try await poll("the first bans") { try await bans(config) == 10 }
    try disk.fill()
    // In few lines.
    let user = String(repeating: "x", count: 2000)
    let line = "\(Attack.now()) web sshd[812]: Failed password for invalid user \(user) from 10.9.9.9 port 4711 ssh2\n"
    let lines = 30_000
    let file = try LogFile(disk.scratch.path + "/auth.log")
    for _ in 0..<lines / 100 { try file.write(String(repeating: line, count: 100)) }
    try await poll("all lines") { try await source(config)["read"] as? Int ?? 0 == lines + 30 }
    try await poll("failures that are let go") { try await shed(config) > 0 }
    #expect(try await storeProblem(config) != nil)
    _ = try attack(disk, addresses: 10..<15)
    try await poll("bans while the disk is full") { try await bans(config) == 16 }

    // A jail more, on a log of its own, and another limit.
    let second = try disk.scratch.write("second.log", "")
    var text = try String(contentsOfFile: config, encoding: .utf8)
    text = text.replacingOccurrences(of: "maxretry: 3", with: "maxretry: 2")
    text += "  second: {filter: sshd, logpath: [\(second)], port: [ssh], maxretry: 1, findtime: 1h, bantime: 1d}\n"
    try text.write(toFile: config, atomically: true, encoding: .utf8)
    let reloaded = try await Binary.run("reload", "--config", config)
    #expect(reloaded.status == 0, "\(reloaded)")
    #expect(!(reloaded.output + reloaded.error).contains("waits"), "\(reloaded)")
    #expect(reloaded.output.contains("jail second added"))
    #expect(try await Binary.run("ban", "203.0.113.5", "--jail", "second", "--config", config).status == 0)
    try await poll("the new jail's log") {
      try await Binary.run("status", "--json", "--config", config).output.contains("second.log")
    }
    try LogFile(second).write(
      "\(Attack.now()) web sshd[812]: Failed password for root from 203.0.113.6 port 4711 ssh2\n")
    try await poll("the new jail's ban") {
      try await Binary.run("bans", "--json", "--config", config).output.contains("203.0.113.6")
    }
    // When there is room, the audit has every ban, and says what it lacks.
    try disk.empty()
    try await poll("the record of it") {
      try await disk.audit("operator", config).output.contains("\(shed(config)) failures since")
    }
    try await poll("the bans") { try await disk.audit("ban", config).objects.count == 18 }
    #expect(daemon.terminate() == 0)
  }

  private func source(_ config: String) async throws -> [String: Any] {
    let status = try await Binary.run("status", "--json", "--config", config).objects.first
    return (status?["sources"] as? [[String: Any]])?.first { ($0["name"] as? String)?.hasSuffix("auth.log") == true }
      ?? [:]
  }

  private func attack(_ disk: SmallDisk, addresses: Range<Int>) throws -> Set<String> {
    let file = try LogFile(disk.scratch.path + "/auth.log")
    var users: Set<String> = []
    let stamp = Attack.now()
    for address in addresses {
      for n in 0..<3 {
        users.insert("u\(address)-\(n)")
        try file.write(
          "\(stamp) web sshd[812]: Failed password for invalid user u\(address)-\(n) from "
            + "10.1.\(address / 250).\(1 + address % 250) port 4711 ssh2\n")
      }
    }
    return users
  }

  private func bans(_ config: String) async throws -> Int {
    let bans = try await Binary.run("bans", "--json", "--config", config)
    return bans.status == 0 ? try bans.objects.count : -1
  }

  private func store(_ config: String) async throws -> [String: Any] {
    try await Binary.run("status", "--json", "--config", config).objects.first?["store"] as? [String: Any] ?? [:]
  }

  private func storeProblem(_ config: String) async throws -> String? { try await store(config)["problem"] as? String }

  private func shed(_ config: String) async throws -> Int { try await store(config)["shed"] as? Int ?? 0 }

  private func failures(_ disk: SmallDisk, _ config: String) async throws -> [String] {
    let audit = try await disk.audit("failure", config)
    return audit.status == 0 ? try audit.objects.compactMap { $0["user"] as? String } : []
  }

  private func settings(_ disk: SmallDisk, onFull: String) throws -> String {
    let path = disk.scratch.path
    let filters = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../filters")
      .standardizedFileURL
    _ = try disk.scratch.write("auth.log", "")
    return try disk.scratch.write(
      "bailiff.yaml",
      """
      state: \(disk.path)
      socket: \(path)/s
      on_full: \(onFull)
      filters: [\(filters.path(percentEncoded: false))]
      ignoreself: false
      jails:
        sshd: {filter: sshd, logpath: [\(path)/auth.log], port: [ssh], maxretry: 3, findtime: 1h, bantime: 1d}

      """)
  }
}

/// A disk of a few megabytes in a mount namespace, which ends with the process that holds it.
final class SmallDisk {
  let scratch: TestDirectory
  private let held: HeldNamespaces

  init(megabytes: Int = 24) throws {
    scratch = try TestDirectory("disk")
    try scratch.makeDirectory("disk")
    held = try HeldNamespaces(.mount, setup: "mount -t tmpfs -o size=\(megabytes)m tmpfs '\(scratch.path)/disk'")
  }

  /// As those see it who are inside.
  var path: String { scratch.path + "/disk" }
  /// What runs a program inside.
  var enter: [String] { held.enter }
  /// As it is seen from outside.
  private var outside: String { "/proc/\(held.first)/root\(path)" }

  func fill() throws {
    let ballast = try LogFile(outside + "/ballast")
    let block = String(repeating: "x", count: 4096)
    while (try? ballast.write(block)) != nil {}
  }

  func empty() throws { try FileManager.default.removeItem(atPath: outside + "/ballast") }

  func audit(_ kind: String, _ config: String) async throws -> Finished {
    try await Command.run(enter + [Binary.path, "audit", "--json", "--kind", kind, "--config", config])
  }
}
