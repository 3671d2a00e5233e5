import Model
import Settings
import System
import TestSupport
import Testing

@testable import Fleet

/// Against a real nats-server.
@Suite(.serialized, .timeLimit(.minutes(5))) struct StreamTests {
  /// A connection to a server that has the fleet's streams.
  private static func connected(_ server: NATSServer) throws -> NATSConnection {
    let settings = Node.settings("a", site: "s", server, "/tmp").fleet!
    _ = try FleetStreams(settings).establish(.init())
    let nats = try NATSConnection(settings, role: "test")
    try nats.wait(seconds: 5)
    return nats
  }

  /// libnats gives a connection up that was refused twice; whoever mends the password need not restart anything.
  @Test func aPasswordIsMended() async throws {
    try await onOwnThread {
      let server = try NATSServer("authorization: {users: [{user: web-1, password: right}]}")
      let directory = try TestDirectory("password")
      let file = try directory.write("password", "wrong\n")
      let settings = Node.settings("web-1", site: "s", server, directory.path) {
        $0.user = "web-1"
        $0.password = .file(file)
      }.fleet!
      let connection = FleetConnection(settings, role: "test")
      let first = try connection.open()
      try pollBlocking("it is refused for good", seconds: 30) { first.isClosed }
      try directory.write("password", "right\n")
      try pollBlocking("it is let in", seconds: 30) { try connection.open().isConnected }
    }
  }

  @Test func initMakesTheStreamsAndChangesThem() async throws {
    try await onOwnThread {
      let server = try NATSServer()
      let settings = Node.settings("a", site: "s", server, "/tmp").fleet!
      let streams = try FleetStreams(settings)
      #expect(try streams.look().allSatisfy { $0.report == nil })
      let made = try streams.establish(.init())
      #expect(made.map(\.name) == ["BL_FAIL", "BL_LIVE"] && made.allSatisfy { $0.isNew && $0.differences.isEmpty })
      let again = try streams.establish(.init())
      #expect(again.allSatisfy { !$0.isNew && $0.differences.isEmpty })
      var limits = FleetStreams.Limits()
      limits.keep = .hours(2)
      let changed = try streams.establish(limits)
      #expect(changed[0].differences == ["max_age was 86400, is 7200"] && changed[1].differences.isEmpty)
      limits.replicas = 3
      // One server cannot hold three copies: that is said, not passed over.
      #expect(throws: FleetError.self) { try streams.establish(limits) }
    }
  }

  @Test func whatIsSentTwiceIsThereOnce() async throws {
    try await onOwnThread {
      let server = try NATSServer()
      let nats = try Self.connected(server)
      let stream = JetStream(connection: nats)
      let first = try stream.publish("bl.fail.s.a", [1], id: "x")
      let second = try stream.publish("bl.fail.s.a", [1], id: "x")
      #expect(first.duplicate != true && second.duplicate == true && first.seq == second.seq)
      // Nobody takes this subject.
      #expect(throws: FleetError.self) { try stream.publish("bl.nothing", [1], id: "y", seconds: 1) }
    }
  }

  @Test func aReaderGoesOnOverAServersEnd() async throws {
    try await onOwnThread {
      let server = try NATSServer()
      let nats = try Self.connected(server)
      let stream = JetStream(connection: nats)
      var reader = StreamReader(nats, "BL_FAIL", name: "r", from: 1)
      var seen: [UInt64] = []
      for number in 0..<1500 {
        _ = try stream.publish("bl.fail.s.a", [UInt8(number & 255)], id: "\(number)")
        if number == 700 {
          while seen.count < 701 { seen += try reader.read(seconds: 1).map(\.sequence) }
          server.kill()
          #expect(throws: FleetError.self) { try stream.publish("bl.fail.s.a", [0], id: "lost", seconds: 1) }
          try server.start()
          try nats.wait(seconds: 20)
        }
      }
      while seen.count < 1500 { seen += (try? reader.read(seconds: 1).map(\.sequence)) ?? [] }
      #expect(seen == Array(1...1500))
      #expect(try stream.firstSequence("BL_FAIL", since: SystemClock.now().seconds + 10) == 1501)
      #expect(try stream.firstSequence("BL_FAIL", since: 0) == 1)
    }
  }

  @Test func lastWordsAreReadFromAnyPlace() async throws {
    try await onOwnThread {
      let server = try NATSServer()
      let nats = try Self.connected(server)
      let outputs = (0..<3000).map { number in
        let subnet = Subnet("10.0.\(number % 1000 / 256).\(number % 1000 % 256)")!
        return FleetDetector.Output(
          subject: Subject.decision(jail: "sshd", subnet),
          message: LiveMessage(
            version: UInt64(number), jail: "sshd", subnet: subnet, until: nil, time: 1, evidence: []), id: "\(number)")
      }
      #expect(try Publisher(connection: nats).publish(outputs).isEmpty)
      // Again: the stream has them.
      #expect(try Publisher(connection: nats).publish(outputs).isEmpty)
      let words = LastWords(connection: nats, stream: "BL_LIVE", filter: Subject.liveSubjects)
      var versions: [UInt64] = []
      let last = try words.read(from: 1) { versions.append(LiveMessage($0.data)!.version) }
      #expect(last == 3000 && versions.sorted() == Array(2000..<3000))
      versions = []
      #expect(try words.read(from: 2991) { versions.append(LiveMessage($0.data)!.version) } == 3000)
      #expect(versions.sorted() == Array(2990..<3000))
      #expect(try words.read(from: 3001) { _ in Issue.record("there is none") } == 3000)
    }
  }
}
