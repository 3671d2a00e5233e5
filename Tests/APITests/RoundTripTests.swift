import API
import Foundation
import Model
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(2))) struct RoundTripTests {
  @Test func everyRequestReachesItsHandlerAndComesBack() async throws {
    let server = try TestServer()
    try await server.start()
    let status = try await server.ask { try $0.status() }
    #expect(status.uptime == 12.5)
    #expect(status.started == TestServer.since)
    #expect(status.sources.first?.tooLong == 1)
    #expect(status.jails.first?.bansEver == 4)
    #expect(status.firewall.backend == "dry-run")
    #expect(status.quarantined.first?.hits == 9)

    let banned = try await server.ask {
      try $0.ban(BanRequest(id: "2001:db8::/64", jail: "sshd", bantime: 3600, force: true, confirm: 60))
    }
    #expect(banned.ban.id == "2001:db8::/64")
    #expect(banned.ban.until == TestServer.since.adding(.hours(1)))
    #expect(banned.confirmBy == TestServer.since.adding(.seconds(60)))
    #expect(banned.notes == ["a note"])
    #expect(try await server.ask { try $0.unban(UnbanRequest(id: "192.0.2.7")) }.jails == ["sshd"])
    #expect(try await server.ask { try $0.unbanAll(UnbanAllRequest(jail: "sshd")) }.count == 5)
    #expect(try await server.ask { try $0.confirm(ConfirmRequest(id: "192.0.2.7")) }.ban.ban.until == nil)
    #expect(try await server.ask { try $0.reload() }.changes == ["jail sshd: maxretry 5 → 3"])
    #expect(
      server.received.withLock { $0 } == [
        "ban 2001:db8::/64 --jail sshd --for 3600s --force --confirm 60s", "unban 192.0.2.7", "unban --all --jail sshd",
        "confirm 192.0.2.7", "reload",
      ])
    await server.stop()
  }

  @Test func theKernelNamesTheOperator() async throws {
    let server = try TestServer()
    try await server.start()
    _ = try await server.ask(session: Address("192.0.2.44")) { try $0.reload() }
    let who = try #require(server.operators.withLock { $0.first })
    #expect(who.uid == geteuid())
    #expect(who.gid == getegid())
    #expect(who.pid == getpid())
    #expect(who.user == "root")
    #expect(who.session == Address("192.0.2.44"))
    // Another process has another pid.
    let curl = try await run([
      "curl", "-s", "--unix-socket", server.socket, "-X", "POST", "http://bailiff/api/v1/reload",
    ])
    #expect(curl.status == 0)
    let second = try #require(server.operators.withLock { $0.last })
    #expect(second.pid != getpid())
    #expect(second.session == nil)
    await server.stop()
  }

  @Test func twentyThousandBansComeAsLines() async throws {
    let bans = (0..<20_000).map { n in
      Ban(
        jail: n % 2 == 0 ? "sshd" : "web \u{1b}&?", identity: .network(Subnet(Address(ipv4: 0x0A00_0000 + UInt32(n)))),
        since: TestServer.since, until: n % 3 == 0 ? nil : TestServer.since.adding(.hours(1)), count: n, number: 1,
        applied: n % 5 == 0)
    }
    let server = try TestServer()
    try await server.start(bans: bans)
    let got = try await server.ask(deadline: 60) { try allBans($0) }
    #expect(got.map(\.ban) == bans)
    // A jail's name survives the query, whatever it holds.
    #expect(try await server.ask { try allBans($0, BansRequest(jail: "web \u{1b}&?")) }.count == 10_000)
    #expect(try await server.ask { try allBans($0, BansRequest(jail: "none")) }.isEmpty)
    await server.stop()
  }

  @Test func aHandlersNoComesBackWithItsKind() async throws {
    let server = try TestServer()
    try await server.start()
    await #expect(throws: RequestError(.rejected, "192.0.2.1 is ignored", remedy: "use --force")) {
      try await server.ask { try $0.ban(BanRequest(id: "192.0.2.1")) }
    }
    await #expect(throws: RequestError(.rejected, "198.51.100.1 is not banned")) {
      try await server.ask { try $0.unban(UnbanRequest(id: "198.51.100.1")) }
    }
    // What nobody foresaw is not shown to the client.
    await #expect(throws: RequestError(.failed, "the daemon could not do it")) {
      try await server.ask { try $0.ban(BanRequest(id: "203.0.113.99")) }
    }
    await server.stop()
  }
}

private func allBans(_ client: ControlClient, _ request: BansRequest = BansRequest()) throws -> [BanReply] {
  var bans: [BanReply] = []
  try client.bans(request) { bans += $0 }
  return bans
}
