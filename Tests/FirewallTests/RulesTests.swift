import Model
import TestSupport
import Testing

@testable import Firewall

/// What needs no kernel.
@Suite struct RulesTests {
  @Test func setNamesFitAndDiffer() {
    #expect(SetName.of(jail: "sshd", .ipv4) == "bailiff-sshd-4")
    #expect(SetName.of(jail: "123456789012345678901", .ipv6) == "bailiff-123456789012345678901-6")
    let odd = [
      "1234567890123456789012", "1234567890123456789013", "a b", "a_b", "a~b", "ä", "", "a,b", "recidive~0123456789",
    ]
    let names = odd.map { SetName.of(jail: $0, .ipv4) }
    #expect(Set(names).count == odd.count)
    for name in names {
      #expect(name.utf8.count <= 31)
      #expect(SetName.isOurs(name))
    }
    #expect(!SetName.isOurs("bailiff") && !SetName.isOurs("bailiff-x") && !SetName.isOurs("cloudron-4"))
  }

  @Test func portsAreMergedAndSplit() {
    #expect(
      ChainRules.merged([22...22, 10...30, 31...31, 5...5, 65535...65535, 65000...65535]) == [
        5...5, 10...30, 31...31, 65000...65535,
      ])
    #expect(ChainRules.chunks([]) == [])
    let singles = (1...16).map { UInt16($0)...UInt16($0) }
    #expect(ChainRules.chunks(singles).map(\.count) == [15, 1])
    // A range counts as two: the fifteenth place has no room for one.
    #expect(ChainRules.chunks(singles.prefix(14) + [100...200]).map(\.count) == [14, 1])
    #expect(ChainRules.chunks([0...65535]) == [["0:65535"]])
  }

  @Test(arguments: [
    FirewallTarget(jail: "", ports: .all), FirewallTarget(jail: "a b", ports: .all),
    FirewallTarget(jail: "a\nb", ports: .all),
    FirewallTarget(jail: "a\u{7F}", ports: .all), FirewallTarget(jail: "x", ports: .ranges([])),
    FirewallTarget(jail: "x", ports: .ranges([1...1]), protocols: []),
  ])
  func badTargetsAreRefused(_ target: FirewallTarget) {
    #expect(throws: FirewallError.self) { try FirewallPlan([target]).validate() }
  }

  @Test(arguments: ["", "BAILIFF", "-F", "A B", "INPUT\n-F", "*filter", String(repeating: "x", count: 29)])
  func badChainsAreRefused(_ chain: String) {
    #expect(throws: FirewallError.self) { try FirewallPlan([], chains: [chain]).validate() }
  }

  @Test func twoJailsOfOneNameAreRefused() {
    #expect(throws: FirewallError.self) { try FirewallPlan([ssh, ssh]).validate() }
    #expect(throws: Never.self) {
      try FirewallPlan([ssh, everything], chains: ["INPUT", "DOCKER-USER", "f2b_x.y"]).validate()
    }
  }

  @Test func timeoutsRoundUpAndAreCapped() {
    let now = Instant(microseconds: 1_000_000_500)
    func timeout(_ microseconds: Int64) -> UInt32? {
      IPSetActuator.timeout(until: Instant(microseconds: now.microseconds + microseconds), now: now)
    }
    #expect(IPSetActuator.timeout(until: nil, now: now) == 0)
    #expect(timeout(1) == 1)
    #expect(timeout(1_000_000) == 1)
    #expect(timeout(1_000_001) == 2)
    #expect(timeout(0) == nil)
    #expect(timeout(-1) == nil)
    #expect(timeout(2_147_483_000_000) == 2_147_483)
    #expect(timeout(2_147_484_000_000) == 2_147_483)
    #expect(IPSetActuator.timeout(until: Instant(microseconds: .max), now: Instant(microseconds: .min)) == 2_147_483)
    #expect(IPSetActuator.timeout(until: Instant(microseconds: .min), now: Instant(microseconds: .max)) == nil)
  }

  @Test func longBansAreRenewedAndNoOthers() {
    let firewall = IPSetActuator()
    let longestTimeout = firewall.longestTimeout.seconds
    let long = longestTimeout + 1
    let bans = [
      ban("sshd", "192.0.2.1", for: long), ban("sshd", "192.0.2.2", for: longestTimeout),
      ban("sshd", "192.0.2.3", for: nil),
      ban("sshd", "somebody", for: long),
    ]
    let time = bans[0].since
    #expect(firewall.renewals(of: bans, now: time).map(\.subnet.description) == ["192.0.2.1"])
    // Also when less than the ceiling is left: the kernel's own time may be running out.
    #expect(firewall.renewals(of: bans, now: time.adding(.seconds(longestTimeout - 10))).count == 1)
    #expect(firewall.renewals(of: bans, now: time.adding(.seconds(long))).isEmpty)
  }

  @Test func listingsOfOthersAreRead() {
    let table = FilterTable(
      listing: """
        -P INPUT ACCEPT
        -N BAILIFF
        -N BAILIFF-2
        -A INPUT -j BAILIFF
        -A INPUT -s 192.0.2.1/32 -j BAILIFF
        -A INPUT -j BAILIFF-2
        -A BAILIFF -j DROP
        -A BAILIFF-2 -j BAILIFF
        -A

        """)
    #expect(table.chains == ["INPUT", "BAILIFF", "BAILIFF-2"])
    // Somebody's rule with a condition is not our jump.
    #expect(table.hooks == ["INPUT": 1, "BAILIFF-2": 1])
    #expect(table.rules == ["-A BAILIFF -j DROP"])
  }

  /// Whatever bytes arrive, reading ends and stays within them.
  @Test func damagedMessagesAreRead() {
    var random = SystemRandomNumberGenerator()
    var watch = RulesetWatch()
    watch.chains = ["INPUT"]
    watch.ownPort = 1
    for _ in 0..<5_000 {
      var bytes = [UInt8](repeating: 0, count: Int.random(in: 0...96, using: &random))
      for i in bytes.indices {
        bytes[i] = Bool.random(using: &random) ? UInt8.random(in: 0...24, using: &random) : .random(in: 0...255)
      }
      if bytes.count >= 20 {
        bytes.replaceSubrange(
          0..<8, with: [UInt8(bytes.count), 0, 0, 0, UInt8.random(in: 0...15, using: &random), 10, 0, 0])
      }
      var event = RulesetEvent()
      event.read(bytes.span, watch)
      NetlinkReader.messages(bytes.span) { message in
        #expect(message.payload.upperBound <= bytes.count)
        NetlinkReader.attributes(bytes.span, in: message.payload) { _, value in
          #expect(value.upperBound <= message.payload.upperBound)
          NetlinkReader.attributes(bytes.span, in: value) { _, inner in #expect(inner.upperBound <= value.upperBound) }
        }
      }
    }
  }

  @Test func theDryRunForgetsWhatIsOver() throws {
    let firewall = DryRunActuator()
    _ = try firewall.prepare(FirewallPlan([ssh], chains: []))
    var time = Instant(seconds: 1_000_000)
    for i in 0..<5000 {
      let subnet = Subnet(Address(ipv4: UInt32(i)))
      let change = FirewallChange(.add, jail: "sshd", subnet: subnet, until: time.adding(.seconds(10)))
      #expect(try firewall.apply([change], now: time) == [.applied])
      time = time.adding(.seconds(1))
      #expect(firewall.remembered <= 1025)
    }
    #expect(try firewall.contents().count == 10)
  }

  /// The dry run gives the same answers as the kernel.
  @Test(arguments: Backend.allCases) func theDryRunAgreesWithTheKernel(_ backend: Backend) throws {
    try NetworkNamespace.with {
      let start = now()
      func play(_ firewall: any Actuator) throws -> [String] {
        var log: [String] = []
        func note(_ value: Any) { log.append("\(value)") }
        func contents() throws {
          note(
            try firewall.contents().map {
              "\($0.jail) \($0.subnet) \($0.remaining.map { ($0.seconds + 5) / 10 } ?? -1)"
            }.sorted())
        }
        _ = try firewall.prepare(FirewallPlan([ssh, everything], chains: ["INPUT"]))
        note(
          try firewall.apply(
            [
              add("sshd", "192.0.2.1"), add("sshd", "192.0.2.1", for: 60), add("recidive", "2001:db8::/64", for: nil),
              add("sshd", "192.0.2.0/24"), add("nosuch", "192.0.2.1"), add("sshd", "192.0.2.3", for: -1),
              FirewallChange(.remove, jail: "sshd", subnet: Subnet("192.0.2.9")!), add("sshd", "0.0.0.0/0"),
            ], now: start
          ).map { outcome in
            if case .failed(let error) = outcome { error.code.rawValue } else { "\(outcome)" }
          })
        try contents()
        note(
          try firewall.restore(
            [
              ban("sshd", "192.0.2.1", for: 600), ban("recidive", "2001:db8::/64", for: nil), ban("sshd", "x"),
              ban("sshd", "192.0.2.7", for: -1), ban("recidive", "192.0.2.8"),
            ],
            now: start))
        try contents()
        note(try firewall.check(wanted: { [] }, now: start).repairs)
        _ = try firewall.prepare(FirewallPlan([everything], chains: []))
        try contents()
        return log
      }
      let kernel = try play(backend.make())
      let dry = try play(DryRunActuator())
      for (a, b) in zip(kernel, dry) { #expect(a == b) }
      #expect(kernel.count == 6 && dry.count == 6)
    }
  }
}
