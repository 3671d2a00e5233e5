import API
import Foundation
import Model
import Settings
import Synchronization

/// A real server on a real socket in a directory of its own, with handlers that remember what reached them.
final class TestServer: Sendable {
  let directory: String
  let socket: String
  let received = Mutex<[String]>([])
  let operators = Mutex<[Operator]>([])
  private let server = Mutex<ControlServer?>(nil)

  init() throws {
    directory = NSTemporaryDirectory() + "/bailiff-control-\(UUID().uuidString.prefix(8))"
    socket = directory + "/run/bailiff.sock"
    try FileManager.default.createDirectory(
      atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o755])
  }

  deinit { try? FileManager.default.removeItem(atPath: directory) }

  /// Asks as the commands do. The client blocks, and the server's handlers need the pool's threads.
  func ask<Reply: Sendable>(
    deadline: Int64 = 10, session: Address? = nil, _ body: @escaping @Sendable (ControlClient) throws -> Reply
  ) async throws -> Reply {
    let client = ControlClient(socket: socket, deadline: deadline, session: session)
    return try await blocking { try body(client) }
  }

  /// - Parameter remote: listens on TCP too.
  func start(group: String? = nil, remote: APISettings? = nil, bans: [Ban] = []) async throws {
    let started = try await ControlServer.start(
      socket: socket, group: group, remote: remote, handlers: handlers(bans: bans),
      context: remote == nil ? Self.context : context)
    server.withLock { $0 = started }
  }

  func stop() async {
    let running = server.withLock { $0.take() }
    await running?.stop()
  }

  /// Without a store.
  static let context = InspectionContext(
    version: "0.1.0", database: { "/nowhere/bailiff.db" }, settings: { Settings() })

  /// With a state directory, where tokens are kept.
  private var context: InspectionContext {
    var settings = Settings()
    settings.state = directory
    return InspectionContext(
      version: "0.1.0", database: { "/nowhere/bailiff.db" }, settings: { [settings] in settings })
  }

  private func note(_ text: String, _ operator: Operator) {
    received.withLock { $0.append(text) }
    operators.withLock { $0.append(`operator`) }
  }

  static let since = Instant(rfc3339: "2026-11-21T05:24:01.25Z")!

  func handlers(bans: [Ban]) -> ControlHandlers {
    ControlHandlers(
      status: {
        StatusReply(
          version: "0.1.0", pid: 17, started: Self.since, uptime: 12.5, dryRun: true,
          config: "/etc/bailiff/bailiff.yaml",
          sources: [
            SourceStatus(
              name: "/var/log/auth.log", problem: "missing", read: 10, matched: 1, ignored: 2, unmatched: 6, tooLong: 1,
              position: "4096", lag: 0, jails: ["sshd"])
          ],
          jails: [JailStatus(name: "sshd", failures: 3, tracked: 1, evicted: 0, bans: 1, bansEver: 4)],
          store: StoreStatus(path: "/var/lib/bailiff/bailiff.db", bytes: 4096, failures: 3),
          firewall: FirewallStatus(backend: "dry-run", chains: ["INPUT"], entries: 1),
          quarantined: [QuarantinedPattern(filter: "sshd", pattern: "p", reason: "match limit", hits: 9)],
          warnings: [Warning(.clock, "one", since: Self.since)])
      },
      bans: { request in
        bans.filter { request.jail == nil || $0.jail == request.jail }.map(BanReply.init)
      },
      ban: { request, who in
        self.note(request.command, who)
        if request.id == "192.0.2.1", !request.force {
          throw RequestError(.rejected, "192.0.2.1 is ignored", remedy: "use --force")
        }
        struct Unforeseen: Error {}
        if request.id == "203.0.113.99" { throw Unforeseen() }
        let ban = Ban(
          jail: request.jail ?? "operator", identity: request.identity, since: Self.since,
          until: request.bantime.map { Self.since.adding(.seconds($0)) }, count: 0, number: 1, applied: true)
        return BannedReply(
          ban: ban, confirmBy: request.confirm.map { Self.since.adding(.seconds($0)) }, notes: ["a note"])
      },
      unban: { request, who in
        self.note(request.command, who)
        guard request.id == "192.0.2.7" else { throw RequestError(.rejected, "\(request.id ?? "") is not banned") }
        return UnbannedReply(id: request.id, count: 1, jails: ["sshd"])
      },
      unbanAll: { request, who in
        self.note(request.command, who)
        return UnbannedReply(id: nil, count: 5, jails: ["sshd", "postfix"])
      },
      confirm: { request, who in
        self.note(request.command, who)
        let ban = Ban(
          jail: "sshd", identity: request.identity, since: Self.since, until: nil, count: 0, number: 1, applied: true)
        return BannedReply(ban: ban)
      },
      reload: { _, who in
        self.note("reload", who)
        return ReloadReply(changes: ["jail sshd: maxretry 5 → 3"], warnings: [])
      })
  }
}

/// What a child process printed and how it ended.
struct Finished: Sendable {
  var status: Int32
  var output: String
  var error: String
}

/// Does what blocks on a thread of its own: the tests share the few threads of Swift's pool with the server under test.
func blocking<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
  try await withCheckedThrowingContinuation { continuation in
    Thread.detachNewThread { continuation.resume(with: Result(catching: body)) }
  }
}

func run(_ arguments: [String]) async throws -> Finished {
  try await blocking { try runAndWait(arguments) }
}

private func runAndWait(_ arguments: [String]) throws -> Finished {
  let process = Process()
  process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
  process.arguments = arguments
  let output = Pipe()
  let error = Pipe()
  process.standardOutput = output
  process.standardError = error
  try process.run()
  let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
  let errors = String(decoding: error.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
  process.waitUntilExit()
  return Finished(status: process.terminationStatus, output: text, error: errors)
}
