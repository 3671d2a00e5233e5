import Glibc
import Model
import System
import TestSupport
import Testing

@testable import Firewall

/// New connections are limited by the kernel, with real packets, on both backends.
@Suite(.serialized) struct SynLimitTests {
  /// A rate that does not grow again while a test runs.
  private static func limit(
    _ burst: Int, scope: SynLimit.Scope = .address, prefix: String? = nil, spared: [String] = []
  ) -> SynLimit {
    SynLimit(
      rate: 1, per: .hour, burst: burst, scope: scope, logPrefix: prefix, spared: spared.map { Subnet($0)! })
  }

  /// Do exactly so many of so many attempts get an answer (nobody listens: it is a refusal)? They are all made at once; what
  /// is dropped is sent again by the kernel and dropped again, so a slow machine has all the time it needs.
  private static func isAnswered(
    _ wanted: Int, of count: Int, from source: String, to target: String, port: UInt16 = 9
  ) -> Bool {
    var waiting = (0..<count).map { _ -> pollfd in
      let fd = TCP.socket(Address(source)!)
      _ = fcntl(fd, F_SETFL, O_NONBLOCK)
      // Safe: the pointers are valid during the calls.
      _ = unsafe TCP.with(Address(source)!, port: 0) { unsafe bind(fd, $0, $1) }
      _ = unsafe TCP.with(Address(target)!, port: port) { unsafe Glibc.connect(fd, $0, $1) }
      return pollfd(fd: fd, events: Int16(POLLOUT), revents: 0)
    }
    defer { for entry in waiting { close(entry.fd) } }
    func answered(within milliseconds: Int32, until enough: Int) -> Int {
      let end = monotonicSeconds() + Double(milliseconds) / 1000
      while true {
        // Safe: as many entries as are named.
        _ = unsafe poll(&waiting, nfds_t(waiting.count), 50)
        let answered = waiting.count { Int32($0.revents) & (POLLERR | POLLHUP) != 0 }
        if answered >= enough || monotonicSeconds() > end { return answered }
      }
    }
    _ = answered(within: 20_000, until: wanted)
    return answered(within: 300, until: count) == wanted
  }

  @Test(arguments: Backend.allCases) func whatExceedsTheLimitIsDropped(_ backend: Backend) async throws {
    try await onOwnThread { try Self.whatExceedsTheLimitIsDropped(backend) }
  }

  private static func whatExceedsTheLimitIsDropped(_ backend: Backend) throws {
    let hosts = try TwoHosts()
    defer { hosts.close() }
    let firewall = backend.make()
    func answers(_ wanted: Int, of count: Int, _ source: String) throws -> Bool {
      let target = source.contains(":") ? "fd77::1" : "10.77.0.1"
      return try hosts.client.run { Self.isAnswered(wanted, of: count, from: source, to: target) }
    }
    func prepare(_ limit: SynLimit?) throws {
      try hosts.server.run { () throws in _ = try firewall.prepare(FirewallPlan([ssh], synLimit: limit)) }
    }
    try prepare(Self.limit(6, spared: ["10.77.0.4", "fd00::/8"]))
    #expect(try answers(6, of: 8, "10.77.0.2"))
    #expect(try answers(6, of: 8, "10.77.0.3"), "each address has its own limit")
    #expect(try answers(20, of: 20, "10.77.0.4"), "who is spared is limited")
    #expect(try answers(20, of: 20, "fd77::2"), "who is spared is limited")
    // A connection that is open is not the limit's business, nor is the loopback interface.
    #expect(try hosts.server.run { Self.isAnswered(20, of: 20, from: "127.0.0.1", to: "127.0.0.1") })

    // IPv6 is counted by /64.
    try prepare(Self.limit(6))
    #expect(try answers(6, of: 6, "fd77::2"))
    #expect(try answers(0, of: 2, "fd77::3"))
    // Everybody together.
    try prepare(Self.limit(5, scope: .all))
    #expect(try answers(3, of: 3, "10.77.0.2") && answers(2, of: 4, "10.77.0.3"))
    // Another rate holds at once.
    try prepare(Self.limit(12))
    #expect(try answers(12, of: 14, "10.77.0.2"))
    let refused = try hosts.server.run {
      try firewall.inventory().filter { $0.kind == .chain && ($0.name.contains("SYN") || $0.name == "syn-refused") }
        .compactMap { $0.refused?.packets }.reduce(0, +)
    }
    #expect(refused >= 2)

    // What is taken away is put back.
    try hosts.server.run { () throws in
      #expect(try !firewall.needsCheck())
      switch backend {
      case .ipset:
        try shell("iptables -F BAILIFF-SYN")
        #expect(try firewall.needsCheck())
      case .nftables: _ = try? shell("nft flush chain inet bailiff syn-limit")
      }
      let check = try firewall.check(wanted: { [] }, now: now())
      #expect(check.repairs.count == (backend == .ipset ? 1 : 0), "\(check)")
      #expect(try !firewall.needsCheck())
    }
    #expect(try answers(12, of: 14, "10.77.0.5"))

    // And nothing is left.
    try prepare(nil)
    #expect(try answers(20, of: 20, "10.77.0.2"))
    let left = try hosts.server.run {
      try shell("iptables -S") + shell("ip6tables -S") + (try? shell("nft list ruleset")).map { $0 }!
    }
    #expect(!left.contains("SYN") && !left.contains("syn-"), "\(left)")
    try hosts.server.run { () throws in
      _ = try firewall.prepare(FirewallPlan([ssh], synLimit: Self.limit(3)))
      try firewall.clear()
      #expect(try firewall.inventory().isEmpty)
    }
    #expect(try answers(8, of: 8, "10.77.0.2"))
  }

  /// A published port is this machine's too; what a container connects to is not.
  @Test(arguments: Backend.allCases) func publishedPortsAreLimitedAndContainersAreNot(_ backend: Backend) async throws {
    try await onOwnThread { try Self.publishedPortsAreLimitedAndContainersAreNot(backend) }
  }

  private static func publishedPortsAreLimitedAndContainersAreNot(_ backend: Backend) throws {
    let network = try Publisher()
    defer { network.close() }
    let firewall = backend.make()
    try network.host.run { () throws in
      _ = try firewall.prepare(FirewallPlan([ssh], synLimit: Self.limit(6)))
    }
    try network.client.run { () throws in try shell("ip route add 172.31.0.0/24 via 10.77.0.1") }
    // Nobody listens in the container: it answers with a refusal.
    #expect(try network.client.run { Self.isAnswered(6, of: 8, from: "10.77.0.2", to: "10.77.0.1", port: 8080) })
    #expect(try network.container.run { Self.isAnswered(10, of: 10, from: "172.31.0.2", to: "10.77.0.2") })
  }

  /// The line that the kernel writes is one that the filter reads. A namespace's packets are logged where the machine says so.
  @Test(arguments: Backend.allCases) func whatIsDroppedIsLogged(_ backend: Backend) async throws {
    try await onOwnThread { try Self.whatIsDroppedIsLogged(backend) }
  }

  private static func whatIsDroppedIsLogged(_ backend: Backend) throws {
    let hosts = try TwoHosts()
    defer { hosts.close() }
    let logging = try KernelLog()
    let prefix = "PORTSCAN_\(backend.rawValue)_\(getpid()): "
    let firewall = backend.make()
    try hosts.server.run { () throws in
      _ = try firewall.prepare(FirewallPlan([ssh], synLimit: Self.limit(2, prefix: prefix)))
    }
    #expect(try hosts.client.run { Self.isAnswered(2, of: 4, from: "10.77.0.2", to: "10.77.0.1") })
    let lines = logging.lines(with: prefix, atLeast: 2)
    #expect(lines.count >= 2 && lines.allSatisfy { $0.contains("SRC=10.77.0.2 DST=10.77.0.1") }, "\(lines)")
    let prefixed = try #require(lines.first)
    #expect(prefixed.contains("\(prefix)IN=vs OUT= ") && prefixed.contains("PROTO=TCP") && prefixed.contains("DPT=9 "))
    print(prefixed)
  }
}
