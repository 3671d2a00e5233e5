import API
import Foundation
import Model
import Settings
import TestSupport

/// A server of the real API with answers that do not change, for the commands that ask one.
final class Daemon: Sendable {
  let scratch: TestDirectory
  let config: String
  private let server: ControlServer

  static let since = Instant(rfc3339: "2026-11-21T05:24:01Z")!
  /// What an attacker would like a terminal to do.
  static let hostile = "web\u{1b}]0;owned\u{7}\u{202e}"

  init() async throws {
    scratch = try TestDirectory()
    config = try scratch.write("bailiff.yaml", "socket: \(scratch.path)/s\nstate: \(scratch.path)\n")
    server = try await ControlServer.start(
      socket: scratch.path + "/s", handlers: Self.handlers,
      context: InspectionContext(version: "0.1.0", database: { "/nowhere/bailiff.db" }, settings: { Settings() }))
  }

  func stop() async { await server.stop() }

  static let bans = [
    Ban(
      jail: "sshd", identity: Identity("192.0.2.7"), since: since, until: since.adding(.hours(1)), count: 3, number: 1,
      applied: true),
    Ban(
      jail: hostile, identity: Identity("2001:db8::/64"), since: since, until: nil, count: 12_345, number: 2,
      applied: false),
  ]

  static let handlers = ControlHandlers(
    status: {
      StatusReply(
        version: "0.1.0", pid: 17, started: since, uptime: 3723.5, dryRun: true, config: "/etc/bailiff/bailiff.yaml",
        sources: [
          SourceStatus(
            name: "/var/log/auth.log", read: 1_234_567, matched: 1, ignored: 2, unmatched: 1_234_563, tooLong: 1,
            position: "4096", lag: 2048, jails: ["sshd"]),
          SourceStatus(
            name: "/var/log/\(hostile).log", problem: "no such file", read: 0, matched: 0, ignored: 0, unmatched: 0,
            tooLong: 0),
        ],
        jails: [JailStatus(name: "sshd", failures: 3, tracked: 1, evicted: 0, bans: 1, bansEver: 4)],
        store: StoreStatus(path: "/var/lib/bailiff/bailiff.db", bytes: 4096, failures: 3),
        firewall: FirewallStatus(backend: "dry-run", problem: "no ipset", chains: ["INPUT"], entries: 1),
        quarantined: [QuarantinedPattern(filter: "sshd", pattern: "p", reason: "match limit", hits: 9)],
        warnings: [Warning(.storeNotWriting, "the disk is full", since: since)])
    },
    bans: { request in bans.filter { request.jail == nil || $0.jail == request.jail }.map(BanReply.init) },
    ban: { request, _ in
      if request.id == "192.0.2.1", !request.force {
        throw RequestError(.rejected, "192.0.2.1 is ignored", remedy: "use --force")
      }
      if let jail = request.jail, jail != "sshd" { throw RequestError(.invalid, "there is no jail \(jail)") }
      let until = request.bantime.flatMap { $0 < 0 ? nil : since.adding(.seconds($0)) }
      let ban = Ban(
        jail: request.jail ?? "operator", identity: request.identity, since: since, until: until, count: 0, number: 1,
        applied: true)
      return BannedReply(
        ban: ban, confirmBy: request.confirm.map { since.adding(.seconds($0)) }, notes: ["a dry run"])
    },
    unban: { request, _ in
      if request.id == "2001:db8::8" {
        return UnbannedReply(id: request.id, count: 1, jails: ["sshd"], ids: ["2001:db8::/64"])
      }
      guard request.id == "192.0.2.7" else { throw RequestError(.rejected, "\(request.id ?? "") is not banned") }
      return UnbannedReply(id: request.id, count: 1, jails: ["sshd"])
    },
    unbanAll: { _, _ in UnbannedReply(id: nil, count: 2, jails: ["sshd", "web"]) },
    confirm: { request, _ in throw RequestError(.rejected, "no ban of \(request.id) waits to be confirmed") },
    reload: { _, _ in ReloadReply(changes: ["jail sshd: maxretry 5 → 3"], warnings: ["jail web: no such file"]) })
}
