import Cryptography
import Detection
import Foundation
import Model
import Settings
import System
import TestSupport
import Testing

@testable import Fleet

/// Servers that count together, with a real nats-server between them.
@Suite(.serialized, .timeLimit(.minutes(5))) struct CountingTests {
  private static func fleet(_ server: NATSServer) throws -> [Node] {
    _ = try FleetStreams(Node.settings("init", site: "s", server, "/tmp").fleet!).establish(.init())
    return try [
      Node("web-1", site: "fra", server) { $0.aggregates = true }, Node("web-2", site: "fra", server),
      Node("web-3", site: "ams", server),
    ]
  }

  private static func decisions(_ server: NATSServer) throws -> [LiveMessage] {
    let settings = Node.settings("look", site: "s", server, "/tmp").fleet!
    let nats = try NATSConnection(settings, role: "test")
    try nats.wait(seconds: 10)
    var messages: [LiveMessage] = []
    let words = LastWords(connection: nats, stream: "BL_LIVE", filter: Subject.liveSubjects)
    _ = try words.read(from: 1) { if let message = LiveMessage($0.data) { messages.append(message) } }
    return messages
  }

  /// Two failures on each of three servers are below everybody's limit, and above the fleet's.
  @Test func threeServersBanTogether() async throws {
    try await onOwnThread {
      let server = try NATSServer()
      let nodes = try Self.fleet(server)
      for node in nodes { try node.start() }
      try pollBlocking("all are connected") { nodes.allSatisfy { $0.member?.status.heard.problem == nil } }
      let begun = monotonicSeconds()
      for node in nodes { try node.fail("198.51.100.7", times: 2) }
      // Everybody sees a lot of this one, but at one site.
      for node in nodes.prefix(2) { try node.fail("198.51.100.8", times: 4) }
      try pollBlocking("the ban is everywhere", seconds: 20) { nodes.allSatisfy { $0.isBanned("198.51.100.7") } }
      let seconds = monotonicSeconds() - begun
      #expect(seconds < 3, "failure to ban took \(seconds) s")
      #expect(nodes.allSatisfy { !$0.isBanned("198.51.100.8") })
      let word = try #require(nodes[2].words.values.first)
      #expect(word.jail == "sshd" && word.detail.hasPrefix("5 failures on 3 servers at 2 sites"))
      let decision = try #require(try Self.decisions(server).first)
      #expect(decision.evidence.count == 5 && Set(decision.evidence.map(\.node)) == ["web-1", "web-2", "web-3"])
      for node in nodes { node.stop() }
    }
  }

  /// NATS that is away delays nobody; when it is back everything is told, once.
  @Test func nothingIsLostWhileNATSIsAway() async throws {
    try await onOwnThread {
      let server = try NATSServer()
      let nodes = try Self.fleet(server)
      for node in nodes { try node.start() }
      try nodes[1].fail("198.51.100.1")
      try pollBlocking("the first report is out") { nodes[1].member?.status.told.reports == 1 }
      server.kill()
      for number in 0..<200 { for node in nodes { try node.fail("203.0.113.\(number)", times: 2) } }
      try pollBlocking("it is noticed") { nodes.allSatisfy { $0.member?.status.heard.problem != nil } }
      try server.start()
      try pollBlocking(
        "all bans are everywhere: \(nodes.map { "\($0.name) \(String(describing: $0.member?.status)) \($0.notices.values)" })",
        seconds: 60
      ) {
        nodes.allSatisfy { node in (0..<200).allSatisfy { node.isBanned("203.0.113.\($0)") } }
      }
      let counters = try #require(nodes[0].member?.status.aggregator)
      #expect(counters.decided.failures == 1201 && counters.decided.bans == 200)
      for node in nodes { node.stop() }
    }
  }

  /// A server that is killed between what NATS took and what it wrote down tells it again, and it is counted once.
  @Test func whatIsToldAgainCountsOnce() async throws {
    try await onOwnThread {
      let server = try NATSServer()
      let nodes = try Self.fleet(server)
      try nodes[0].start()
      try nodes[1].start()
      try nodes[1].fail("198.51.100.7", times: 2)
      try pollBlocking("it is out") { nodes[1].member?.status.told.reports == 1 }
      for round in 0..<3 {
        nodes[1].stop(forgetting: true)
        // What one leaves behind that was killed before it wrote down that NATS has it: the last report, to be sent.
        let left = FailureReport(
          store: try #require(nodes[1].storeNumber), from: UInt64(1 + round), to: UInt64(2 + round), jails: ["sshd"],
          entries: [
            .init(address: Address("198.51.100.9")!, second: UInt32(SystemClock.now().seconds), jail: 0, count: 1)
          ])
        if round > 0 { try Data(left.bytes).write(to: URL(filePath: nodes[1].directory("fleet-outbox"))) }
        try nodes[1].start()
        try nodes[1].fail("198.51.100.9")
        try pollBlocking("it goes on") {
          (nodes[0].member?.status.aggregator?.decided.failures ?? 0) >= 3 + round
        }
      }
      let counters = try #require(nodes[0].member?.status.aggregator)
      #expect(counters.decided.failures == 5, "\(counters)")
      for node in nodes { node.stop() }
    }
  }

  /// Three that decide, killed in turn, come to what one comes to that is never disturbed.
  @Test func aggregatorsDecideAlike() async throws {
    try await onOwnThread {
      let server = try NATSServer()
      _ = try FleetStreams(Node.settings("init", site: "s", server, "/tmp").fleet!).establish(.init())
      let settings = Node.settings("load", site: "s", server, "/tmp").fleet!
      let nats = try NATSConnection(settings, role: "load")
      try nats.wait(seconds: 10)
      let stream = JetStream(connection: nats)
      var directories: [TestDirectory] = []
      var aggregators: [Aggregator?] = []
      func start(_ index: Int) throws {
        let all = Node.settings("agg-\(index)", site: "s\(index)", server, directories[index].path)
        let made = try Aggregator(all, directory: directories[index].path) { _ in }
        aggregators[index] = made
        _ = ServiceThread("agg") { made.run() }
      }
      for index in 0..<3 {
        directories.append(try TestDirectory("agg"))
        aggregators.append(nil)
        try start(index)
      }
      var reference = FleetDetector(
        jails: Node.settings("x", site: "x", server, "/").jails.map(\.limits), nodes: 3, sites: 2, seed: (9, 9))
      var expected: [String: LiveMessage] = [:]
      var random = Numbers(state: 3)
      var to = [UInt64](repeating: 0, count: 20)
      for round in 0..<300 {
        let node = round % 20
        let now = SystemClock.now().seconds
        let entries = (0..<30).map { _ in
          FailureReport.Entry(
            address: Address(bits: 0xFFFF_C633_6400 | UInt128(UInt8.random(in: 0...255, using: &random))),
            second: UInt32(now) - UInt32.random(in: 0...30, using: &random), jail: 0,
            count: UInt16.random(in: 1...2, using: &random))
        }
        let report = FailureReport(store: 1, from: to[node], to: to[node] + 30, jails: ["sshd"], entries: entries)
        to[node] += 30
        let subject = "bl.fail.s\(node % 4).n\(node)"
        let sequence = try stream.publish(subject, report.bytes, id: "\(subject)-\(to[node])").seq
        let taken = try stream.time("BL_FAIL", from: sequence)
        for output in reference.take(
          .init(sequence: sequence, time: try #require(taken), subject: subject, data: report.bytes))
        { expected[output.subject] = output.message }
        if round % 30 == 29 {
          let victim = round / 30 % 3
          aggregators[victim]?.stop()
          try start(victim)
        }
      }
      #expect(expected.count > 100)
      try pollBlocking("all is decided", seconds: 60) {
        let decided = try Self.decisions(server)
        return decided.count == expected.count
          && decided.allSatisfy { expected[Subject.decision(jail: "sshd", $0.subnet!)] == $0 }
      }
      for aggregator in aggregators { aggregator?.stop() }
    }
  }

  /// Who was away hears the last word about everybody, and nothing of what is over.
  @Test func whoWasAwayCatchesUp() async throws {
    try await onOwnThread {
      let server = try NATSServer()
      let key = SigningKey()
      _ = try FleetStreams(Node.settings("init", site: "s", server, "/tmp").fleet!).establish(.init())
      let operators = [Base64URL.text(key.publicKey)]
      let aggregator = try Node("web-1", site: "fra", server) {
        $0.aggregates = true
        $0.operators = operators
      }
      let newcomer = try Node("web-2", site: "fra", server) { $0.operators = operators }
      try aggregator.start()
      let streams = try FleetStreams(aggregator.settings.fleet!)
      func give(_ action: Order.Action, _ id: String, after: Int64 = 0) throws {
        let order = Order(
          action, id: Subnet(id)!, until: nil, time: SystemClock.now().seconds + after, by: "ann", why: "a test")
        _ = try streams.give(SignedOrder(order, by: key), by: "ann")
      }
      for number in 0..<100 { try give(.ban, "198.51.100.\(number)") }
      try give(.unban, "198.51.100.50")
      try give(.allow, "203.0.113.0/24")
      // Nobody's.
      let forged = SignedOrder(
        Order(.allow, id: Subnet("198.51.100.0/24")!, time: SystemClock.now().seconds, by: "eve"), by: SigningKey())
      _ = try streams.give(forged, by: "eve")
      // An old one of ann's.
      try give(.unban, "198.51.100.51", after: -3600)
      try pollBlocking("all is said") { aggregator.words.values.count >= 102 }
      try newcomer.start()
      try pollBlocking("the newcomer knows") { newcomer.words.values.count >= 101 }
      let words = newcomer.words.values
      #expect(words.count == 101)
      // First whom to spare.
      #expect(words[0].action == .allow(until: nil) && words[0].subnet == Subnet("203.0.113.0/24"))
      #expect(words.count { if case .ban = $0.action { true } else { false } } == 99)
      #expect(words.contains { $0.action == .unban && $0.subnet == Subnet("198.51.100.50") })
      #expect(words[1].detail == "ban by ann: a test")
      // After a restart it is told nothing again.
      newcomer.stop()
      let before = newcomer.words.values.count
      try newcomer.start()
      try pollBlocking("it is back") { newcomer.member?.status.heard.problem == nil }
      try give(.disallow, "203.0.113.0/24")
      try pollBlocking("it hears what is new") { newcomer.words.values.count > before }
      #expect(newcomer.words.values.count == before + 1 && newcomer.words.values.last?.action == .disallow)
      aggregator.stop()
      newcomer.stop()
    }
  }

  /// What a stolen server can publish changes nothing: others' subjects it cannot use, and what is none it is not asked about.
  @Test func aServerThatLiesChangesNothing() async throws {
    try await onOwnThread {
      let users = """
        authorization: {users: [
          {user: init, password: init},
          {user: web-1, password: a, permissions: \(Permissions.node(site: "fra", name: "web-1", aggregates: true))},
          {user: web-2, password: b, permissions: \(Permissions.node(site: "fra", name: "web-2", aggregates: false))}
        ]}
        """
      let server = try NATSServer(users)
      func user(_ name: String, _ password: String) -> (inout FleetSettings) -> Void {
        {
          $0.user = name
          $0.password = .text(password)
          $0.aggregates = name == "web-1"
        }
      }
      _ = try FleetStreams(Node.settings("init", site: "s", server, "/tmp", user("init", "init")).fleet!).establish(
        .init())
      let honest = try Node("web-1", site: "fra", server, user("web-1", "a"))
      try honest.start()
      try honest.fail("198.51.100.7")
      try pollBlocking("it is counted") { honest.member?.status.aggregator?.decided.failures == 1 }
      let liar = Node.settings("web-2", site: "fra", server, "/tmp", user("web-2", "b")).fleet!
      let nats = try NATSConnection(liar, role: "liar")
      try nats.wait(seconds: 10)
      let stream = JetStream(connection: nats)
      let now = UInt32(SystemClock.now().seconds)
      // 10,000 addresses, dated in the future, with as many failures as there is room for.
      let report = FailureReport(
        store: 1, from: 0, to: 10_000, jails: ["sshd"],
        entries: (0..<10_000).map {
          .init(address: Address(bits: 0xFFFF_C633_6000 + UInt128($0)), second: now + 100_000, jail: 0, count: 4095)
        })
      let sequence = try stream.publish(Subject.failures(liar), report.bytes, id: "1").seq
      // As another server, as an aggregator, as an operator; a stream and a consumer that would deliver elsewhere.
      for (subject, data) in [
        ("bl.fail.fra.web-9", report.bytes),
        ("bl.live.sshd.\(Subject.id(Subnet("203.0.113.1")!))", []), ("bl.order.ann", []),
        ("$JS.API.STREAM.DELETE.BL_FAIL", []), ("$JS.API.CONSUMER.CREATE.BL_LIVE", []),
        ("$JS.API.STREAM.MSG.DELETE.BL_LIVE", []), ("$JS.API.STREAM.PURGE.BL_LIVE", []),
        ("$JS.API.DIRECT.GET.BL_FAIL", [UInt8](#"{"seq":1}"#.utf8)),
      ] {
        #expect(throws: FleetError.self, "\(subject)") { try nats.request(subject, data, seconds: 0.5) }
      }
      try pollBlocking("the lies are read") { honest.member?.status.aggregator?.sequence == sequence }
      let counters = try #require(honest.member?.status.aggregator)
      #expect(counters.decided.bans == 0)
      honest.stop()
    }
  }
}
