import Glibc
import Model
import TestSupport
import Testing

@testable import Firewall

/// A ban holds on the packet's real way: to programs of the machine, to containers behind published ports, for what is new
/// and for what is open.
@Suite(.serialized) struct PathTests {
  /// The jail names the port that the client knows.
  private static let published = FirewallTarget(jail: "web", ports: .ranges([8080...8080]), protocols: [.tcp, .udp])
  private static let inside = FirewallTarget(jail: "inside", ports: .ranges([80...80, 90...90]))
  private static let redirected = FirewallTarget(jail: "redirected", ports: .ranges([9090...9090]))

  private static let addresses = [("10.77.0", ".", "10.77.0.1", "172.31.0.2"), ("fd77:", ":", "fd77::1", "fd31::2")]

  @Test(arguments: Backend.allCases, [0, 1])
  func aPublishedPortIsClosedAsTheClientKnowsIt(_ backend: Backend, _ family: Int) throws {
    let network = try Publisher()
    defer { network.close() }
    let (prefix, dot, host, container) = Self.addresses[family]
    @Sendable func client(_ i: Int) -> String { "\(prefix)\(dot)\(i)" }
    func reaches(_ i: Int, _ port: UInt16) throws -> Bool {
      try network.client.run { TCP.reaches(from: client(i), to: host, port: port) }
    }
    func isBlocked(_ i: Int, _ port: UInt16) throws -> Bool {
      try network.client.run { TCP.isBlocked(from: client(i), to: host, port: port) }
    }
    let web = try network.container.run { try TCP.listen(container, port: 80) }
    let own = try network.host.run { try TCP.listen(host, port: 90) }
    defer {
      close(web)
      close(own)
    }
    let firewall = backend.make()
    try network.host.run { () throws in
      _ = try firewall.prepare(FirewallPlan([Self.published, Self.inside, Self.redirected]))
    }
    for i in 2...4 {
      #expect(try reaches(i, 8080))
      #expect(try reaches(i, 9090))
    }
    // An open connection that the container sends on.
    while let waiting = TCP.accept(web) { close(waiting) }
    let open = try #require(try network.client.run { TCP.connect(from: client(2), to: host, port: 8080) })
    let served = try #require(TCP.accept(web))
    defer {
      close(open)
      close(served)
    }
    try network.host.run { () throws in
      let bans = [add("web", client(2)), add("inside", client(3)), add("redirected", client(4))]
      #expect(try firewall.apply(bans, now: now()) == [.applied, .applied, .applied])
    }
    firewall.finishClosing()
    #expect(try isBlocked(2, 8080), "the port that the client knows is not closed")
    #expect(try reaches(2, 9090), "a port that the jail does not name is closed")
    #expect(try reaches(3, 8080), "the container's own port was taken for the client's")
    #expect(try reaches(3, 9090), "the program's own port was taken for the client's")
    #expect(try isBlocked(4, 9090), "a redirected port is not closed")
    #expect(try reaches(4, 8080))
    // What the container sends on the open connection finds no way to the client.
    TCP.write(served)
    #expect(!TCP.arrives(open, tries: 2), "a banned client's open connection to a container lives on")
    TCP.write(open)
    #expect(!TCP.arrives(served, tries: 2))
    try network.host.run { () throws in _ = try firewall.apply([remove("web", client(2))], now: now()) }
    #expect(try reaches(2, 8080))
  }

  @Test(arguments: Backend.allCases) func udpIsClosedOnBothWays(_ backend: Backend) throws {
    let network = try Publisher()
    defer { network.close() }
    let container = try network.container.run { try UDP.bind("172.31.0.2", port: 80) }
    let own = try network.host.run { try UDP.bind("10.77.0.1", port: 53) }
    defer {
      close(container)
      close(own)
    }
    let firewall = backend.make()
    let dns = FirewallTarget(jail: "dns", ports: .ranges([53...53]), protocols: [.udp])
    try network.host.run { () throws in _ = try firewall.prepare(FirewallPlan([Self.published, dns])) }
    func arrives(_ i: Int, _ port: UInt16, at socket: Int32, tries: Int = 20) throws -> Bool {
      for _ in 0..<tries {
        try network.client.run { try UDP.send(from: "10.77.0.\(i)", to: "10.77.0.1", port: port) }
        if UDP.arrives(socket, from: "10.77.0.\(i)") { return true }
      }
      return false
    }
    for i in 2...3 {
      #expect(try arrives(i, 8080, at: container))
      #expect(try arrives(i, 53, at: own))
    }
    try network.host.run { () throws in
      _ = try firewall.apply([add("web", "10.77.0.2"), add("dns", "10.77.0.3")], now: now())
    }
    #expect(try !arrives(2, 8080, at: container, tries: 2))
    #expect(try arrives(2, 53, at: own))
    #expect(try arrives(3, 8080, at: container))
    #expect(try !arrives(3, 53, at: own, tries: 2))
  }

  /// A ban of ten minutes ends a session, it does not pause it; and the program has its socket back.
  @Test(arguments: Backend.allCases, [("10.77.0.2", "10.77.0.3", "10.77.0.1"), ("fd77::2", "fd77::3", "fd77::1")])
  func openConnectionsEnd(_ backend: Backend, _ addresses: (String, String, String)) throws {
    let (banned, other, host) = addresses
    let hosts = try TwoHosts()
    defer { hosts.close() }
    // One socket for both families, as daemons have it.
    let listener = try hosts.server.run { try TCP.listen("::", port: 22) }
    let second = try hosts.server.run { try TCP.listen("::", port: 2022) }
    defer {
      close(listener)
      close(second)
    }
    func open(_ source: String, _ port: UInt16, _ listener: Int32) throws -> (client: Int32, server: Int32) {
      let target = host
      var client: Int32?
      for _ in 0..<20 where client == nil {
        client = try hosts.client.run { TCP.connect(from: source, to: target, port: port) }
      }
      return (try #require(client), try #require(TCP.accept(listener)))
    }
    let firewall = backend.make()
    try hosts.server.run { () throws in _ = try firewall.prepare(FirewallPlan([ssh])) }
    let ended = try open(banned, 22, listener)
    let kept = [try open(other, 22, listener), try open(banned, 2022, second)]
    defer {
      for (a, b) in kept + [ended] {
        close(a)
        close(b)
      }
    }
    try hosts.server.run { () throws in _ = try firewall.apply([add("sshd", banned)], now: now()) }
    firewall.finishClosing()
    #expect(TCP.error(ended.server) == ECONNABORTED, "the program keeps its socket")
    #expect(TCP.error(ended.client) == ECONNRESET, "the client is not told")
    for pair in kept {
      TCP.write(pair.client)
      #expect(TCP.arrives(pair.server, tries: 20), "a connection that is not banned was ended")
    }
  }

  @Test(arguments: Backend.allCases) func rejectedClientsAreTold(_ backend: Backend) throws {
    let hosts = try TwoHosts()
    defer { hosts.close() }
    let listener = try hosts.server.run { try TCP.listen("::", port: 22) }
    defer { close(listener) }
    for source in ["10.77.0.2", "fd77::2"] {
      let target = source.contains(":") ? "fd77::1" : "10.77.0.1"
      #expect(try hosts.client.run { TCP.reaches(from: source, to: target, port: 22) })
    }
    let firewall = backend.make()
    try hosts.server.run { () throws in
      let target = FirewallTarget(jail: "sshd", ports: .ranges([22...22]), verdict: .reject)
      _ = try firewall.prepare(FirewallPlan([target]))
      _ = try firewall.apply([add("sshd", "10.77.0.2"), add("sshd", "fd77::2")], now: now())
    }
    for source in ["10.77.0.2", "fd77::2"] {
      let target = source.contains(":") ? "fd77::1" : "10.77.0.1"
      let code = try hosts.client.run { TCP.refusal(from: source, to: target, port: 22) }
      #expect(code == ECONNREFUSED, "\(source) waits for its own timeout")
    }
    try hosts.server.run { () throws in
      let count = try #require(try firewall.packets()["sshd"])
      #expect(count.packets >= 2 && count.bytes >= 80)
    }
  }

  @Test(arguments: Backend.allCases) func refusedPacketsAreCountedByJail(_ backend: Backend) throws {
    let hosts = try TwoHosts()
    defer { hosts.close() }
    let listener = try hosts.server.run { try TCP.listen("10.77.0.1", port: 22) }
    defer { close(listener) }
    let firewall = backend.make()
    #expect(try hosts.client.run { TCP.reaches(from: "10.77.0.2", to: "10.77.0.1", port: 22) })
    try hosts.server.run { () throws in
      _ = try firewall.prepare(FirewallPlan([ssh, everything]))
      _ = try firewall.apply([add("sshd", "10.77.0.2")], now: now())
    }
    #expect(try hosts.client.run { TCP.isBlocked(from: "10.77.0.2", to: "10.77.0.1", port: 22) })
    try hosts.server.run { () throws in
      let packets = try firewall.packets()
      let first = try #require(packets["sshd"]).packets
      #expect(first >= 2)
      #expect(packets["recidive"]?.packets ?? 0 == 0)
      // A reload does not begin them again.
      _ = try firewall.prepare(FirewallPlan([FirewallTarget(jail: "sshd", ports: .all)]))
      #expect(try firewall.packets()["sshd"]!.packets >= first)
    }
  }

  @Test(arguments: Backend.allCases) func onlyTheWaysThatArePlannedAreClosed(_ backend: Backend) throws {
    let network = try Publisher()
    defer { network.close() }
    let web = try network.container.run { try TCP.listen("172.31.0.2", port: 80) }
    let own = try network.host.run { try TCP.listen("10.77.0.1", port: 90) }
    defer {
      close(web)
      close(own)
    }
    func reaches(_ port: UInt16) throws -> Bool {
      try network.client.run { TCP.reaches(from: "10.77.0.2", to: "10.77.0.1", port: port) }
    }
    func isBlocked(_ port: UInt16) throws -> Bool {
      try network.client.run { TCP.isBlocked(from: "10.77.0.2", to: "10.77.0.1", port: port) }
    }
    #expect(try reaches(8080) && reaches(90))
    let firewall = backend.make()
    try network.host.run { () throws in
      _ = try firewall.prepare(FirewallPlan([Self.published, everything, Self.redirected], paths: [.host]))
      _ = try firewall.apply([add("recidive", "10.77.0.2")], now: now())
    }
    #expect(try isBlocked(90))
    #expect(try reaches(8080))
    try network.host.run { () throws in
      _ = try firewall.prepare(FirewallPlan([Self.published, everything, Self.redirected], paths: [.containers]))
    }
    #expect(try isBlocked(8080))
    #expect(try reaches(90))
    // The client's port is known on each of the ways.
    try network.host.run { () throws in
      _ = try firewall.apply([remove("recidive", "10.77.0.2"), add("web", "10.77.0.2")], now: now())
    }
    #expect(try isBlocked(8080))
    try network.host.run { () throws in
      _ = try firewall.prepare(FirewallPlan([Self.published, everything, Self.redirected], paths: [.host]))
      _ = try firewall.apply([add("redirected", "10.77.0.2")], now: now())
    }
    #expect(try isBlocked(9090))
    #expect(try reaches(90))
  }
}

extension Actuator {
  /// Waits until the connections of all bans so far were looked for.
  func finishClosing() {
    (self as? IPSetActuator)?.closer.finish()
    (self as? NFTablesActuator)?.closer.finish()
  }
}
