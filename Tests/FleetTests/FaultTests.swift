import Detection
import Foundation
import Model
import Settings
import System
import TestSupport
import Testing

@testable import Fleet

/// What happens to NATS, and what must not happen to the counts.
@Suite(.serialized, .timeLimit(.minutes(5))) struct FaultTests {
  /// A server that answers nobody may have taken what was sent to it: it is sent again, and counted once.
  @Test func aServerThatDoesNotAnswer() async throws {
    try await onOwnThread {
      let server = try NATSServer()
      _ = try FleetStreams(Node.settings("init", site: "s", server, "/tmp").fleet!).establish(.init())
      let nodes = try [
        Node("web-1", site: "fra", server) { $0.aggregates = true }, Node("web-2", site: "fra", server),
        Node("web-3", site: "ams", server),
      ]
      for node in nodes { try node.start() }
      try pollBlocking("all are connected") { nodes.allSatisfy { $0.member?.status.heard.problem == nil } }
      for round in 0..<3 {
        server.pause()
        for number in 0..<20 { for node in nodes { try node.fail("203.0.113.\(round * 20 + number)", times: 2) } }
        Thread.sleep(forTimeInterval: 7)
        server.resume()
        try pollBlocking("all bans are everywhere", seconds: 60) {
          nodes.allSatisfy { node in (0..<20).allSatisfy { node.isBanned("203.0.113.\(round * 20 + $0)") } }
        }
      }
      try pollBlocking("all is counted", seconds: 20) {
        nodes[0].member?.status.aggregator?.decided.failures ?? 0 >= 360
      }
      Thread.sleep(forTimeInterval: 2)
      let counters = try #require(nodes[0].member?.status.aggregator)
      #expect(counters.decided.failures == 360 && counters.decided.bans == 60, "\(counters)")
      for node in nodes { node.stop() }
    }
  }

  /// NATS is gone with all that it held; a new one takes its place.
  @Test func aNewNATSBeginsAgain() async throws {
    try await onOwnThread {
      let server = try NATSServer()
      let settings = Node.settings("init", site: "s", server, "/tmp").fleet!
      _ = try FleetStreams(settings).establish(.init())
      let nodes = try [
        Node("web-1", site: "fra", server) { $0.aggregates = true }, Node("web-2", site: "fra", server),
        Node("web-3", site: "ams", server),
      ]
      for node in nodes { try node.start() }
      for number in 0..<3 {
        for node in nodes { try node.fail("203.0.113.\(number)", times: 2) }
        try pollBlocking("it is banned", seconds: 30) { nodes.allSatisfy { $0.isBanned("203.0.113.\(number)") } }
      }
      server.kill()
      try FileManager.default.removeItem(atPath: server.directory("js"))
      try server.start()
      _ = try FleetStreams(settings).establish(.init())
      for node in nodes { try node.fail("198.51.100.1", times: 2) }
      try pollBlocking("they count together again", seconds: 60) {
        nodes.allSatisfy { $0.isBanned("198.51.100.1") }
      }
      for node in nodes { node.stop() }
    }
  }

  /// Three NATS servers with three copies: the leader is killed under load, and comes back.
  @Test func theLeaderIsKilledUnderLoad() async throws {
    try await onOwnThread {
      let servers = try NATSServer.cluster()
      let settings = Node.settings("init", site: "s", servers, "/tmp").fleet!
      var limits = FleetStreams.Limits()
      limits.replicas = 3
      let streams = try FleetStreams(settings)
      var made: [FleetStreams.Report]?
      // The servers elect first who keeps the list of streams.
      try pollBlocking("the streams are made", seconds: 60) {
        made = try? streams.establish(limits)
        return made != nil
      }
      #expect(made?.allSatisfy { $0.replicas == 3 && $0.leader != nil } == true, "\(made ?? [])")
      let nodes = try (0..<6).map { number in
        try Node("web-\(number)", site: "s\(number % 2)", servers) { $0.aggregates = number < 3 }
      }
      for node in nodes { try node.start() }
      try pollBlocking("all are connected", seconds: 60) {
        nodes.allSatisfy { $0.member?.status.heard.problem == nil }
          && nodes.prefix(3).allSatisfy { $0.member?.status.aggregator?.problem == nil }
      }
      var failures = 0
      var killed: NATSServer?
      for step in 0..<60 {
        for node in nodes {
          try node.fail("203.0.113.\(step)")
          failures += 1
        }
        if step == 20 {
          let leader = try #require(try streams.look().first { $0.name == "BL_FAIL" }?.report?.leader)
          killed = servers[Int(leader.dropFirst())! - 1]
          killed?.kill()
        }
        if step == 45 { try killed?.start() }
        Thread.sleep(forTimeInterval: 0.1)
      }
      try pollBlocking("all bans are everywhere", seconds: 90) {
        nodes.allSatisfy { node in (0..<60).allSatisfy { node.isBanned("203.0.113.\($0)") } }
      }
      try pollBlocking("all is counted by all", seconds: 30) {
        nodes.prefix(3).allSatisfy { $0.member?.status.aggregator?.decided.failures ?? 0 >= failures }
      }
      for node in nodes.prefix(3) {
        let counters = try #require(node.member?.status.aggregator)
        #expect(counters.decided.failures == failures && counters.decided.bans == 60, "\(node.name): \(counters)")
      }
      for node in nodes { node.stop() }
    }
  }
}
