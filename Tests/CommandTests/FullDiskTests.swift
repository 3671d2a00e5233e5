import Foundation
import Testing

/// The disk under the store is full, and then it is not.
@Suite(.serialized, .timeLimit(.minutes(4))) struct FullDiskTests {
  /// Nothing is lost, and bans do not wait.
  @Test func waiting() async throws {
    let disk = try SmallDisk()
    let config = try settings(disk, onFull: "wait")
    let daemon = try RunningDaemon(config, in: disk)
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
    let second = try RunningDaemon(config, in: disk)
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
    let daemon = try RunningDaemon(config, in: disk)
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
  let scratch: Scratch
  private let holder = Process()
  private let input = Pipe()

  init() throws {
    scratch = try Scratch()
    try FileManager.default.createDirectory(atPath: scratch.path + "/disk", withIntermediateDirectories: true)
    let output = Pipe()
    holder.executableURL = URL(fileURLWithPath: "/usr/bin/unshare")
    holder.arguments = [
      "--mount", "--propagation", "private", "/bin/sh", "-c",
      "mount -t tmpfs -o size=24m tmpfs '\(scratch.path)/disk' && echo ready && exec cat",
    ]
    // When this process ends, so does `cat`, and the disk is gone.
    holder.standardInput = input
    holder.standardOutput = output
    try holder.run()
    guard output.fileHandleForReading.availableData == Data("ready\n".utf8) else { throw CocoaError(.fileWriteUnknown) }
  }

  deinit {
    try? input.fileHandleForWriting.close()
    holder.waitUntilExit()
  }

  /// As those see it who are inside.
  var path: String { scratch.path + "/disk" }
  /// What runs a program inside.
  var enter: [String] { ["/usr/bin/nsenter", "-t", "\(holder.processIdentifier)", "-m"] }
  /// As it is seen from outside.
  private var outside: String { "/proc/\(holder.processIdentifier)/root\(path)" }

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
