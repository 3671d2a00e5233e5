import Firewall
import Foundation
import Model
import Synchronization
import System
import TestSupport
import Testing

@testable import Pipeline

/// Lists on the decider's thread, and those who look after them.
@Suite(.timeLimit(.minutes(3))) struct ListKeepingTests {
  private static func addresses(_ count: Int) -> AddressList {
    AddressList((0..<count).map { Subnet(Address(ipv4: 0x2D00_0000 + UInt32($0) * 2)) })
  }

  private static func bench(_ lists: String) throws -> Bench {
    let bench = try Bench()
    try bench.configure(general: "lists: {\(lists)}")
    try bench.append([])
    return bench
  }

  /// What waits while a long list goes into the firewall is decided in between.
  @Test func batchesAreDecidedBetweenPieces() async throws {
    let bench = try Self.bench("big: {path: \"/nonexistent/list\"}")
    let daemon = try bench.daemon()
    daemon.start()
    let held = Mutex(0)
    await daemon.onLoop { loop in
      var lists = HeldLists(blocked: ["big": Self.addresses(20_000)])
      lists.order = 1_000_000
      loop.adopt(lists, at: SystemClock.now())
      loop.queue.postAtOnce(
        .command(.look { loop in held.withLock { $0 = (try? loop.firewall.contents().count) ?? -1 } }))
    }
    try await poll("all of it") { try daemon.firewall.contents().count == 20_000 }
    #expect((1..<20_000).contains(held.withLock { $0 }), "\(held.withLock { $0 }) of 20,000 were there before it")
    await stop(daemon)
  }

  /// Two threads work out what is to be in force; what the slower one knew before is no news.
  @Test func whatIsOlderIsNotAdopted() async throws {
    let bench = try Self.bench("big: {path: \"/nonexistent/list\"}")
    let daemon = try bench.daemon()
    daemon.start()
    let older = daemon.lists.held
    _ = try await daemon.allow(Subnet("203.0.113.7")!, for: nil, why: "", uid: 0, command: "allow 203.0.113.7")
    let allowed = await daemon.onLoop { loop in
      loop.adopt(older, at: SystemClock.now())
      return loop.lists.allowed
    }
    #expect(allowed.entries == [Subnet("203.0.113.7")!])
    await stop(daemon)
  }

  /// An answer without an address is somebody's mistake, and an error in JSON is no list.
  @Test func anEmptyAnswerIsRefused() async throws {
    let server = try Receiver("list_server.py")
    let bench = try Self.bench("drop: {url: \"http://127.0.0.1:\(server.port)/drop.txt\"}")
    let daemon = try bench.daemon()
    daemon.start()
    try await poll("it is fetched") { daemon.listReports.first?.entries == 2 }
    for (answer, word) in [("# nothing\n", "it is empty"), ("{\"error\": \"rate limited\"}\n", "rate limited")] {
      try answer.write(toFile: server.directory + "/list", atomically: true, encoding: .utf8)
      daemon.lists.reload(daemon.settings)
      try await poll("it is refused") { daemon.listReports.first?.problem?.contains(word) == true }
      #expect(daemon.listReports.first?.entries == 2)
    }
    try "# nothing\n".write(toFile: server.directory + "/list", atomically: true, encoding: .utf8)
    #expect(daemon.acceptList("drop", uid: 0))
    try await poll("it is taken over") { daemon.listReports.first?.entries == 0 }
    #expect(daemon.listReports.first?.problem == nil)
    await stop(daemon)
  }

  /// Of CrowdSec's decisions those that no list should hold are left out, counted, and the others are in force; they may all go.
  @Test func decisionsComeAndGo() async throws {
    let server = try Receiver("list_server.py")
    let bench = try Self.bench(
      "crowd: {type: crowdsec, url: \"http://127.0.0.1:\(server.port)\", key: 0123456789abcdef}")
    let daemon = try bench.daemon()
    daemon.start()
    try await poll("they are read") { daemon.listReports.first?.entries == 3 }
    #expect(daemon.listReports.first?.leftOut == 1, "10.0.0.9 is private")
    try #"{"new":null,"deleted":null}"#.write(
      toFile: server.directory + "/decisions", atomically: true, encoding: .utf8)
    daemon.lists.reload(daemon.settings)
    try await poll("none is left") { daemon.listReports.first?.entries == 0 }
    #expect(daemon.listReports.first?.problem == nil && daemon.listReports.first?.leftOut == 0)
    await stop(daemon)
  }

  /// A reload says that lists have changed, and not that lines have moved.
  @Test func aReloadSaysThatListsChanged() async throws {
    let bench = try Self.bench("big: {path: \"/nonexistent/list\"}")
    let daemon = try bench.daemon()
    daemon.start()
    try bench.configure(general: "# moved\nlists: {big: {path: \"/nonexistent/list\"}}")
    #expect(try await daemon.reload(uid: 0).changes.isEmpty)
    try bench.configure(general: "lists: {big: {path: \"/nonexistent/list\", block: reject}}")
    #expect(try await daemon.reload(uid: 0).changes == ["lists"])
    await stop(daemon)
  }
}
