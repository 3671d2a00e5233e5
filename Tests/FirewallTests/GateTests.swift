import Glibc
import Model
import TestSupport
import Testing

@testable import Firewall

/// Ports that nobody has opened are closed, with real packets, on both backends.
@Suite(.serialized) struct GateTests {
  private static func opening(_ name: String, _ ports: FirewallTarget.Ports, everybody: Bool = false) -> FirewallTarget
  {
    var target = FirewallTarget(jail: name, ports: ports, protocols: [.tcp, .udp], verdict: .pass)
    target.isForEverybody = everybody
    return target
  }

  @Test(arguments: Backend.allCases, [("10.77.0.", "10.77.0.1"), ("fd77::", "fd77::1")])
  func onlyWhatIsOpenedIsOpen(_ backend: Backend, _ addresses: (String, String)) async throws {
    try await onOwnThread { try Self.onlyWhatIsOpenedIsOpen(backend, addresses) }
  }

  private static func onlyWhatIsOpenedIsOpen(_ backend: Backend, _ addresses: (String, String)) throws {
    let (prefix, host) = addresses
    let network = try Publisher()
    defer { network.close() }
    let container = host.contains(":") ? "fd31::2" : "172.31.0.2"
    let sockets =
      try network.host.run { try [22, 80, 90, 443].map { try TCP.listen(host, port: $0) } }
      + network.container.run { [try TCP.listen(container, port: 80)] }
    defer { for socket in sockets { close(socket) } }
    let firewall = backend.make()
    func prepare(_ targets: FirewallTarget...) throws {
      try network.host.run { () throws in _ = try firewall.prepare(FirewallPlan(targets)) }
    }
    func reaches(_ i: Int, _ port: UInt16) throws -> Bool {
      try network.client.run { TCP.reaches(from: "\(prefix)\(i)", to: host, port: port) }
    }
    func isBlocked(_ i: Int, _ port: UInt16) throws -> Bool {
      try network.client.run { TCP.isBlocked(from: "\(prefix)\(i)", to: host, port: port) }
    }
    let open = try #require(try network.client.run { TCP.connect(from: "\(prefix)3", to: host, port: 22) })
    while let served = TCP.accept(sockets[0]) {
      defer { close(served) }
      try prepare(
        ssh, everything, Self.opening("allow_only:22", .ranges([22...22])),
        Self.opening("allow_only:80", .ranges([80...80, 8080...8080]), everybody: true))
      try network.host.run { () throws in
        let changes = [add("allow_only:22", "\(prefix)2", for: nil)]
        #expect(try firewall.apply(changes, now: now()) == [.applied])
      }
      // What is open goes on, whoever it is.
      TCP.write(open)
      #expect(TCP.arrives(served, tries: 20), "an open connection was cut")
      close(open)
      break
    }
    #expect(try reaches(2, 22) && reaches(2, 80) && reaches(3, 80))
    #expect(try reaches(3, 8080), "a published port is not open as the client knows it")
    #expect(try isBlocked(3, 22), "open to all, not to some")
    #expect(try isBlocked(2, 443) && isBlocked(2, 9090), "a port that nobody opened is open")
    // A ban goes before what is open; what this machine asks for is answered; loopback is nobody's business.
    try network.host.run { () throws in _ = try firewall.apply([add("recidive", "\(prefix)2")], now: now()) }
    #expect(try isBlocked(2, 80))
    try network.host.run { () throws in _ = try firewall.apply([remove("recidive", "\(prefix)2")], now: now()) }
    try network.client.run { () throws in
      try shell("ip route add \(host.contains(":") ? "fd31::/64" : "172.31.0.0/24") via \(host)")
    }
    let far = try network.client.run { try TCP.listen("\(prefix)4", port: 7) }
    defer { close(far) }
    #expect(try network.host.run { TCP.reaches(from: host, to: "\(prefix)4", port: 7) })
    #expect(try network.host.run { TCP.reaches(from: host, to: host, port: 443) })
    #expect(try network.container.run { TCP.reaches(from: container, to: "\(prefix)4", port: 7) })
    #expect(try network.host.run { (try? firewall.needsCheck()) == false })
    let held = try network.host.run {
      try firewall.contents().filter { $0.jail == "allow_only:22" }.map { "\($0.subnet)" }
    }
    #expect(held == ["\(prefix)2"])

    // Taken away, it is put back.
    if backend == .ipset {
      try network.host.run { () throws in
        try shell("\(host.contains(":") ? "ip6tables" : "iptables") -F BAILIFF-GATE")
        #expect(try firewall.needsCheck())
        let wanted = [ban("allow_only:22", "\(prefix)2", for: nil)]
        #expect(try firewall.check(wanted: { wanted }, now: now()).repairs.count == 1)
      }
      #expect(try isBlocked(3, 22))
    }
    // Without an opening nothing is closed, and nothing is left.
    try prepare(ssh)
    #expect(try reaches(3, 443) && reaches(3, 22) && reaches(3, 9090))
    let left = try network.host.run {
      try (shell("iptables -S") + shell("ip6tables -S") + shell("nft list ruleset") + shell("ipset list -n"))
    }
    #expect(!left.contains("GATE") && !left.contains("gate") && !left.contains("allow_only"), "\(left)")
  }

  @Test(arguments: Backend.allCases) func udpIsClosedAndAnswersComeIn(_ backend: Backend) async throws {
    try await onOwnThread { try Self.udpIsClosedAndAnswersComeIn(backend) }
  }

  private static func udpIsClosedAndAnswersComeIn(_ backend: Backend) throws {
    let hosts = try TwoHosts()
    defer { hosts.close() }
    let firewall = backend.make()
    let (dns, other) = try hosts.server.run {
      (try UDP.bind("10.77.0.1", port: 53), try UDP.bind("10.77.0.1", port: 54))
    }
    let far = try hosts.client.run { try UDP.bind("10.77.0.2", port: 5353) }
    defer { for socket in [dns, other, far] { close(socket) } }
    try hosts.server.run { () throws in
      _ = try firewall.prepare(FirewallPlan([Self.opening("allow_only:53", .ranges([53...53]), everybody: true)]))
    }
    func arrives(_ port: UInt16, at socket: Int32, tries: Int = 20) throws -> Bool {
      for _ in 0..<tries {
        try hosts.client.run { try UDP.send(from: "10.77.0.3", to: "10.77.0.1", port: port) }
        if UDP.arrives(socket, from: "10.77.0.3") { return true }
      }
      return false
    }
    #expect(try arrives(53, at: dns))
    #expect(try !arrives(54, at: other, tries: 2))
    #expect(try hosts.client.run { try shell("ping -c 1 -W 5 10.77.0.1") }.contains(" 0% packet loss"))
  }
}
