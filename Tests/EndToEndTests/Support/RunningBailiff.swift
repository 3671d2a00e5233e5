import Foundation
import TestSupport
import Testing

/// `bailiff run` on the server, and the commands that an operator types there.
final class RunningBailiff: @unchecked Sendable {
  let hosts: Hosts
  let config: String
  private var process = Process()
  private static var binary: String { Files.bailiff }

  /// What the settings say beside the paths.
  struct Options: Sendable {
    var maxretry = 3
    var bantime = "1h"
    var ipv6Prefix = 64
    var port = "all"
    /// Where the jail reads; nil: where the filter says, from the journal.
    var logpath: String?
    var name = "bailiff"
  }

  /// Not started yet.
  init(_ hosts: Hosts, _ options: Options = Options()) throws {
    self.hosts = hosts
    config = "\(hosts.directory)/\(options.name).yaml"
    try write(options)
  }

  func write(_ options: Options) throws {
    let source = options.logpath.map { "backend: files, logpath: [\($0)]" } ?? "backend: journal"
    try write(
      """
      state: \(hosts.directory)/\(options.name)-state
      socket: \(hosts.directory)/bailiff.sock
      filters: [\(Files.root)/filters]
      jails:
        sshd:
          filter: sshd
          \(source.split(separator: ", ").joined(separator: "\n    "))
          port: \(options.port)
          maxretry: \(options.maxretry)
          findtime: 10m
          bantime: \(options.bantime)
          prefix: {ipv6: \(options.ipv6Prefix)}

      """)
  }

  func write(_ text: String) throws { try text.write(toFile: config, atomically: true, encoding: .utf8) }

  private var pidFile: String { config + ".pid" }

  /// Starts it and waits until it answers.
  func start(sourceLocation: SourceLocation = #_sourceLocation) async throws {
    process = try hosts.server.start(
      "echo $$ >\(pidFile); exec \(Self.binary) run --config \(config) >>\(config).log 2>&1")
    try await poll("the daemon", sourceLocation: sourceLocation) {
      try #require(self.process.isRunning, "the daemon ended: \(self.said)", sourceLocation: sourceLocation)
      return try await self.attempt("status").status == 0
    }
    try await poll("its source: \(said)", sourceLocation: sourceLocation) {
      let sources = try await self.object("status")["sources"] as? [[String: Any]] ?? []
      return !sources.isEmpty && sources.allSatisfy { $0["ok"] as? Bool == true }
    }
  }

  /// What it has said since it was first started.
  var said: String { (try? String(contentsOfFile: config + ".log", encoding: .utf8)) ?? "" }

  func signal(_ name: String) async throws { try await hosts.server.run("kill -\(name) $(cat \(pidFile))") }

  /// Sends a signal and waits for the end; returns the status (for a signal 128 and its number).
  func end(_ signal: String, sourceLocation: SourceLocation = #_sourceLocation) async throws -> Int32 {
    try await self.signal(signal)
    try await poll("the daemon's end: \(said)", sourceLocation: sourceLocation) { !self.process.isRunning }
    return process.terminationReason == .exit ? process.terminationStatus : 128 + process.terminationStatus
  }

  // MARK: Commands

  func attempt(_ command: String) async throws -> Shell.Finished {
    try await hosts.server.attempt("\(Self.binary) \(command) --config \(config)")
  }

  @discardableResult
  func run(_ command: String, sourceLocation: SourceLocation = #_sourceLocation) async throws -> String {
    let done = try await attempt(command)
    try #require(done.status == 0, "bailiff \(command): \(done.text)\n\(said)", sourceLocation: sourceLocation)
    return done.text
  }

  /// What a command prints with `--json`, an object a line.
  func objects(
    _ command: String, sourceLocation: SourceLocation = #_sourceLocation
  ) async throws -> [[String: Any]] {
    let text = try await run("\(command) --json", sourceLocation: sourceLocation)
    return try text.split(separator: "\n").map { line in
      try #require(
        try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any], sourceLocation: sourceLocation)
    }
  }

  func object(_ command: String, sourceLocation: SourceLocation = #_sourceLocation) async throws -> [String: Any] {
    try #require(
      try await objects(command, sourceLocation: sourceLocation).first, "\(command)", sourceLocation: sourceLocation)
  }

  func wait(forBanOf id: String, sourceLocation: SourceLocation = #_sourceLocation) async throws {
    try await poll("a ban of \(id)", sourceLocation: sourceLocation) {
      try await self.objects("bans", sourceLocation: sourceLocation)
        .contains { $0["id"] as? String == id && $0["applied"] as? Bool == true }
    }
  }

  /// Without how a command was called, what an audit tells of the bans and unbans, oldest first.
  func decisions(_ kinds: [String] = ["ban", "unban"]) async throws -> [[String: Any]] {
    try await objects("audit --since 1h").filter { kinds.contains($0["kind"] as? String ?? "") }
      .sorted { ($0["time"] as? String ?? "") < ($1["time"] as? String ?? "") }
  }

  /// What the kernel holds: the elements of the jail's sets, with the seconds that are left of each.
  func kernel() async throws -> [String: Int] {
    let text = try await hosts.server.run("ipset save | grep '^add bailiff-sshd-' || true")
    var left: [String: Int] = [:]
    for line in text.split(separator: "\n") {
      let words = line.split(separator: " ")
      if words.count >= 5, words[3] == "timeout" { left[String(words[2])] = Int(words[4]) }
    }
    return left
  }
}
