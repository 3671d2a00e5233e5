import AuditLog
import Detection
import Foundation
import Model
import Settings
import Synchronization
import System
import TestSupport

@testable import Fleet

/// One server of a fleet as far as the fleet sees it: a store, the consumers on it, and what it was told to do.
final class Node {
  let directory: TestDirectory
  let settings: Settings
  let name: String
  let words = Words()
  let notices = Notices()
  private(set) var store: AuditStore
  private(set) var member: FleetMember?
  private var runners: [ConsumerRunner] = []
  private var position: AuditPosition?

  final class Words: Sendable {
    private let all = Mutex<[FleetWord]>([])
    func add(_ word: FleetWord) { all.withLock { $0.append(word) } }
    var values: [FleetWord] { all.withLock { $0 } }
  }

  final class Notices: Sendable {
    private let all = Mutex<[String]>([])
    func add(_ text: String) { all.withLock { $0.append(text) } }
    var values: [String] { all.withLock { $0 } }
  }

  convenience init(
    _ name: String, site: String, _ server: NATSServer, _ change: (inout FleetSettings) -> Void = { _ in }
  ) throws { try self.init(name, site: site, [server], change) }

  init(_ name: String, site: String, _ servers: [NATSServer], _ change: (inout FleetSettings) -> Void = { _ in }) throws
  {
    self.name = name
    directory = try TestDirectory("node")
    settings = Self.settings(name, site: site, servers, directory.path, change)
    store = try AuditStore(path: directory("bailiff.db"))
  }

  static func settings(
    _ name: String, site: String, _ server: NATSServer, _ directory: String,
    _ change: (inout FleetSettings) -> Void = { _ in }
  ) -> Settings { settings(name, site: site, [server], directory, change) }

  static func settings(
    _ name: String, site: String, _ servers: [NATSServer], _ directory: String,
    _ change: (inout FleetSettings) -> Void = { _ in }
  ) -> Settings {
    var settings = Settings()
    settings.state = directory
    var jail = JailSettings(
      name: "sshd", limits: Jail(name: "sshd", maxretry: 5, findtime: .minutes(10), bantime: .minutes(30)))
    jail.scope = .fleet
    settings.jails = [jail]
    var fleet = FleetSettings(servers: servers.map(\.url), name: name, site: site)
    fleet.key = .text("a key of the fleet")
    change(&fleet)
    settings.fleet = fleet
    return settings
  }

  func start() throws {
    let notices = notices
    let made = try FleetMember(settings) { notices.add($0) }!
    member = made
    let path = directory("bailiff.db")
    for consumer in made.consumers {
      let known = try position ?? AuditStore.readOnly(path: path).beginning()
      let saved = Saved()
      let runner = ConsumerRunner(consumer, path: path, position: known) { saved.set($0) }
      self.saved = saved
      runners.append(runner)
      Thread.detachNewThread { runner.run(poll: .milliseconds(20)) }
    }
    made.start { [words] in words.add($0) }
  }

  final class Saved: Sendable {
    private let position = Mutex<AuditPosition?>(nil)
    func set(_ new: AuditPosition) { position.withLock { $0 = new } }
    var value: AuditPosition? { position.withLock { $0 } }
  }
  private var saved: Saved?

  /// - Parameter forgetting: how a crash leaves it: the position that the store knows is an old one.
  func stop(forgetting: Bool = false) {
    for runner in runners { runner.stop(waiting: .seconds(10)) }
    runners = []
    member?.stop()
    member = nil
    if !forgetting { position = saved?.value ?? position }
  }

  deinit { stop() }

  /// Failures of an address, each a second after the other, the last one now.
  func fail(_ address: String, times: Int = 1, user: String = "root", at time: Instant = SystemClock.now()) throws {
    var batch = FailureBatch()
    for index in 0..<times {
      var failure = Failure(
        time: time.subtracting(.seconds(Int64(times - 1 - index))), address: Address(address)!, jail: 0, pattern: 0,
        source: 0)
      failure.user = batch.store(Array(user.utf8).span)
      failure.line = batch.store(Array("Failed password for \(user) from \(address)".utf8).span)
      batch.append(failure)
    }
    try store.commit(
      batch,
      names: Names(
        jails: ["sshd"], patterns: [PatternName(filter: "sshd", name: "failed", file: "")],
        sources: ["/var/log/auth.log"]),
      decisions: [])
  }

  /// As reports name its store.
  var storeNumber: UInt32? { saved?.value.map { Outbox.store(of: $0) } }

  func isBanned(_ address: String) -> Bool {
    words.values.contains { word in
      guard case .ban = word.action else { return false }
      return word.subnet == Subnet(address)
    }
  }
}
