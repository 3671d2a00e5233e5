import Foundation
import Model
import System
import TestSupport
import Testing

@testable import Firewall
@testable import LockoutGuard

@Suite struct ProtectedTests {
  private static let machine = {
    var value = Protected()
    value.own = [Address("192.0.2.1")!, Address("2001:db8:1::1")!, Address("127.0.0.1")!]
    value.gateways = [Address("192.0.2.254")!, Address("fe80::1")!]
    value.resolvers = [Address("203.0.113.53")!]
    value.sessions = [Address("198.51.100.7")!, Address("198.51.100.8")!]
    value.caller = Address("198.51.100.8")!
    return value
  }()

  @Test(
    arguments: [
      ("198.51.100.9", []),
      ("198.51.100.0/30", []),
      ("192.0.2.1", [.own(Address("192.0.2.1")!)]),
      ("192.0.2.0/24", [.own(Address("192.0.2.1")!), .gateway(Address("192.0.2.254")!)]),
      ("203.0.113.53", [.resolver(Address("203.0.113.53")!)]),
      ("198.51.100.7", [.session(Address("198.51.100.7")!)]),
      ("198.51.100.8", [.caller(Address("198.51.100.8")!)]),
      ("198.51.100.0/24", [.caller(Address("198.51.100.8")!), .session(Address("198.51.100.7")!)]),
      ("127.0.0.53", [.own(Address("127.0.0.53")!)]),
      ("::1", [.own(Address("::1")!)]),
      ("10.0.0.0/16", []),
      ("10.0.0.0/15", [.tooWide(limit: 16)]),
      ("2001:db8:2::/48", []),
      ("2001:db8::/32", [.own(Address("2001:db8:1::1")!)]),
      ("2600::/31", [.tooWide(limit: 32)]),
      // An IPv6 block never stops an IPv4 address, though ::ffff:192.0.2.1 lies in it.
      ("::/64", [.own(Address("::1")!)]),
    ] as [(String, [Protected.Reason])])
  func objections(_ subnet: String, _ expected: [Protected.Reason]) {
    #expect(Self.machine.objections(to: Subnet(subnet)!).map(\.reason) == expected)
  }

  @Test func sessionsAreLetGoWhenTheSettingsSaySo() {
    #expect(Self.machine.objections(to: Subnet("198.51.100.7")!, sparing: .none).isEmpty)
    #expect(Self.machine.objections(to: Subnet("192.0.2.1")!, sparing: .none).count == 1)
    var machine = Self.machine
    machine.otherSessions = [Address("198.51.100.9")!]
    #expect(machine.objections(to: Subnet("198.51.100.9")!, sparing: .administrators).isEmpty)
    #expect(machine.objections(to: Subnet("198.51.100.9")!, sparing: .everybody).count == 1)
    #expect(machine.addresses(sparing: .administrators).contains(Address("198.51.100.7")!))
    #expect(!machine.addresses(sparing: .administrators).contains(Address("198.51.100.9")!))
  }

  @Test(arguments: [
    ("root", true), ("toor", true), ("alice", true), ("bob", true), ("sftp", false), ("somebody-of-ldap", true),
    ("daemon", false),
  ])
  func whoMayBecomeRoot(_ user: String, _ expected: Bool) {
    let passwd = """
      root:x:0:0:root:/root:/bin/bash
      daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin
      toor:x:0:0::/root:/bin/sh
      alice:x:1000:1000::/home/alice:/bin/bash
      bob:x:1001:27::/home/bob:/bin/bash
      sftp:x:1002:1002::/srv/sftp:/usr/sbin/nologin
      damaged

      """
    let group = "root:x:0:\nsudo:x:27:alice,carol\nusers:x:100:sftp\nadm:x:4:sftp\ndamaged:\n"
    #expect(Administrators(passwd: passwd, group: group).mayBecomeRoot(user) == expected)
  }

  @Test func theKernelsTablesAreRead() {
    let route = """
      Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
      eth0\t00000000\tFE0200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0
      eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0
      eth1\t0000000A\t010200C0\t0003\t0\t0\t0\t000000FF\t0\t0\t0

      """
    #expect(Protected.ipv4Gateways(route: route) == [Address("192.0.2.254")!])
    let zero = String(repeating: "0", count: 32)
    let next = "fe800000000000000000000000000001"
    let ipv6 = """
      \(zero) 00 \(zero) 00 \(next) 00000400 00000001 00000000 00000003     eth0
      20010db8000000000000000000000000 40 \(zero) 00 \(zero) 00000100 00000001 00000000 00000001     eth0
      \(zero) 00 \(zero) 00 \(zero) ffffffff 00000001 00000000 00200200       lo
      """
    #expect(Protected.ipv6Gateways(route: ipv6) == [Address("fe80::1")!])
    #expect(
      Protected.nameServers(
        "# x\nsearch a.example\nnameserver 192.0.2.53\nnameserver fe80::1%eth0\nnameserver\nnameserver x\n")
        == [Address("192.0.2.53")!, Address("fe80::1")!])
    #expect(Protected.sshClient("192.0.2.7 4711 198.51.100.1 22") == Address("192.0.2.7"))
    #expect(Protected.sshClient("fe80::2%eth0 4711 fe80::1%eth0 22") == Address("fe80::2"))
    #expect(Protected.sshClient("") == nil)
    let tcp = """
        sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
         0: 0100007F:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1001 1 0 100 0 0 10 0
         1: 010200C0:0016 076433C6:A1B2 01 00000000:00000000 02:000A0000 00000000     0        0 1002 2 0 20 4 30 10 -1
         2: 0000000000000000FFFF0000010200C0:0016 0000000000000000FFFF0000086433C6:A1B2 01 0:0 02:0 0     0        0 1003 2
      """
    let connections = Sessions.established(tcp)
    #expect(
      connections.mapValues(\.peer) == ["1002": Address("198.51.100.7")!, "1003": Address("198.51.100.8")!])
    #expect(connections["1002"]?.port == 22)
  }

  @Test(arguments: [
    ("sshd: root@pts/0", true), ("sshd-session: alice@notty", true), ("sshd: alice@pts/1,pts/2", true),
    ("sshd: root [priv]", false), ("sshd: unknown [net]", false), ("sshd: [accepted]", false),
    ("sshd: bob@corp.example [net]", false), ("sshd: /usr/sbin/sshd -D [listener] 1 of 10-100 startups", false),
    ("bash: root@pts/0", false),
  ])
  func titles(_ title: String, _ loggedIn: Bool) {
    #expect(Sessions.isLoggedIn(title: title) == loggedIn)
    if loggedIn { #expect(["root", "alice"].contains(Sessions.user(title: title))) }
  }

  @Test func logindsFilesAreRead() throws {
    let directory = NSTemporaryDirectory() + "bailiff-logind-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: directory) }
    let texts = [
      "UID=1000\nUSER=alice\nSTATE=active\nREMOTE=1\nREMOTE_HOST=192.0.2.7\nSERVICE=sshd\n",
      "STATE=closing\nREMOTE_HOST=192.0.2.8\n",
      "STATE=online\nREMOTE=0\n", "garbage\u{0}=\n==\n", "STATE=online\nREMOTE_HOST=host.example\n",
    ]
    for (i, text) in texts.enumerated() {
      try text.write(toFile: "\(directory)/\(i)", atomically: false, encoding: .utf8)
    }
    #expect(Sessions.logind(directory: directory) == [.init(address: Address("192.0.2.7")!, user: "alice")])
    #expect(Sessions.logind(directory: directory + "-none").isEmpty)
  }

  @Test func thisNamespaceIsRead() throws {
    let hosts = try TwoHosts()
    defer { hosts.close() }
    let found = try hosts.server.run {
      try shell("ip route add default via 10.77.0.2")
      try shell("ip -6 route add default via fd77::2")
      return Protected.collect(caller: Address("10.77.0.3"))
    }
    #expect(found.own.isSuperset(of: ["10.77.0.1", "fd77::1", "127.0.0.1", "::1"].map { Address($0)! }))
    #expect(!found.own.contains(Address("10.77.0.2")!))
    #expect(found.gateways == [Address("10.77.0.2")!, Address("fd77::2")!])
    #expect(found.caller == Address("10.77.0.3"))
  }

  /// The real sshd: who has logged in is protected, who has only connected is not.
  @Test func aLoggedInSessionIsFoundAndAGuesserIsNot() throws {
    let hosts = try TwoHosts()
    defer { hosts.close() }
    let directory = NSTemporaryDirectory() + "bailiff-sshd-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: directory) }
    for key in ["host", "user"] {
      try Programs().run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", "\(directory)/\(key)"])
    }
    try """
    Port 22
    HostKey \(directory)/host
    AuthorizedKeysFile \(directory)/user.pub
    PidFile none
    StrictModes no
    UsePAM no
    PermitRootLogin yes

    """.write(toFile: "\(directory)/config", atomically: false, encoding: .utf8)
    // sshd wants /run/sshd; in a mount namespace of its own it has one, and this machine's /run stays as it is. Each runs
    // until its time is over or the test ends it.
    let sshd = try hosts.server.run {
      try Background(
        "unshare", "-m", "--propagation", "private", "sh", "-c",
        "mount -t tmpfs tmpfs /run && mkdir /run/sshd && exec /usr/sbin/sshd -D -e -f \(directory)/config")
    }
    defer { sshd.stop() }
    let deadline = monotonicSeconds() + 10
    while try !hosts.client.run({ TCP.reaches(from: "10.77.0.3", to: "10.77.0.1", port: 22) }) {
      try #require(monotonicSeconds() < deadline, "sshd did not start")
    }
    let guesser = try #require(try hosts.client.run { TCP.connect(from: "10.77.0.4", to: "10.77.0.1", port: 22) })
    defer { close(guesser) }
    let ssh = try hosts.client.run {
      try Background(
        "ssh", "-F", "none", "-tt", "-b", "10.77.0.5", "-i", "\(directory)/user", "-o", "StrictHostKeyChecking=no",
        "-o",
        "UserKnownHostsFile=/dev/null", "-o", "BatchMode=yes", "root@10.77.0.1", "sleep", "30")
    }
    defer { ssh.stop() }
    var found: Set<Address> = []
    while !found.contains(Address("10.77.0.5")!), monotonicSeconds() < deadline {
      let sessions = Sessions.processes(proc: "/proc").filter { $0.user == "root" }
      found = Set(sessions.map(\.address))
    }
    #expect(found.contains(Address("10.77.0.5")!))
    #expect(!found.contains(Address("10.77.0.4")!))
  }
}
