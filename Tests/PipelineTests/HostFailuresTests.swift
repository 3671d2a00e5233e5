import Detection
import Fail2banImport
import Foundation
import LogSources
import Model
import Settings
import Synchronization
import TestSupport
import Testing

@testable import Pipeline

/// A fail2ban filter finds host names; what is banned are the addresses that they resolve to now.
struct HostFailuresTests {
  private static let now = Instant(seconds: 1_700_000_000)
  private static let addresses = [Address("192.0.2.7")!, Address("2001:db8::7")!]

  /// A jail over a filter of our own, with the given lines under it.
  private func plan(_ jail: String) throws -> Plan {
    let directory = try TestDirectory("host-failures")
    try "[Definition]\nfailregex = ^login of <F-USER>\\S+</F-USER> from <HOST> failed$\n".write(
      toFile: directory("f.conf"), atomically: true, encoding: .utf8)
    let text = """
      ignoreself: false
      jails:
        j:
          filter: \(directory("f.conf"))
          logpath: [/var/log/j.log]
          maxretry: 2
          prefix: {ipv4: 32, ipv6: 128}
          \(jail)
      """
    let reading = Settings.read(text: text, file: "bailiff.yaml") { path, options in
      try FilterTranslation.loadFilter(path: path, options: options)
    }
    try #require(reading.errors.isEmpty, "\(reading.errors)")
    return Plan(reading.settings)
  }

  private func resolver(_ answers: [String: NameResolver.Answer]) -> NameResolver {
    // swift-format-ignore: OnlyOneTrailingClosureArgument
    NameResolver(limits: NameResolver.Limits(), clock: { Self.now }) { answers[$0] ?? .none("not there") }
  }

  private func batch(_ plan: Plan, _ lines: String) -> FailureBatch {
    var batch = FailureBatch()
    let matcher = LineMatcher(plan, jails: [0])
    matcher.match(
      Array(lines.utf8).span, of: LineOrigin(start: 0, isLive: false), source: 0, now: Self.now, into: &batch)
    return batch
  }

  /// Resolves, and waits for the batches that come later.
  private func resolve(_ batch: inout FailureBatch, _ plan: Plan, _ resolver: NameResolver, later count: Int) async
    -> [(FailureBatch, String?)]
  {
    let arrived = Box()
    HostFailures(resolver: resolver).resolve(in: &batch, plan) { later, sentence in arrived.add((later, sentence)) }
    while arrived.items.count < count { await Task.yield() }
    return arrived.items
  }

  private final class Box: Sendable {
    private let content = Mutex<[(FailureBatch, String?)]>([])
    var items: [(FailureBatch, String?)] { content.withLock { $0 } }
    func add(_ item: (FailureBatch, String?)) { content.withLock { $0.append(item) } }
  }

  @Test func everyAddressOfANameIsBannedAndTheNameIsNot() async throws {
    let plan = try plan("usedns: warn")
    let resolver = resolver(["bad.example.": .addresses(Self.addresses)])
    defer { resolver.stop() }
    var detector = Detector(plan)
    var decisions: [Decision] = []

    var first = batch(plan, "login of root from bad.example failed\n")
    try #require(first.failures.count == 1)
    let later = await resolve(&first, plan, resolver, later: 1)
    #expect(first.failures.map(\.weight) == [0])
    detector.detect(in: &first, now: Self.now, into: &decisions)
    #expect(later[0].1 == "[j] counts bad.example as 192.0.2.7, 2001:db8::7, by DNS (usedns: warn)")
    var resolved = later[0].0
    #expect(resolved.failures.map(\.address) == Self.addresses)
    #expect(resolved.text(resolved.failures[1].user) == "root")
    #expect(resolved.text(resolved.failures[1].line) == "login of root from bad.example failed")
    detector.detect(in: &resolved, now: Self.now, into: &decisions)
    #expect(decisions.isEmpty)

    // The second time the answer is known, and is there at once.
    var second = batch(plan, "login of root from bad.example failed\n")
    #expect(await resolve(&second, plan, resolver, later: 0).isEmpty)
    detector.detect(in: &second, now: Self.now, into: &decisions)
    #expect(decisions.map(\.identity) == Self.addresses.map { .network(Subnet($0)) })
    #expect(decisions.allSatisfy { $0.action == .ban && $0.count == 2 })
  }

  @Test func aNameWithoutAnAddressBansNobody() async throws {
    let plan = try plan("usedns: yes")
    let resolver = resolver([:])
    defer { resolver.stop() }
    var detector = Detector(plan)
    var decisions: [Decision] = []
    for attempt in 0..<5 {
      var batch = batch(plan, "login of root from gone.example failed\n")
      let later = await resolve(&batch, plan, resolver, later: attempt == 0 ? 1 : 0)
      #expect(later.allSatisfy { $0.0.isEmpty && $0.1 == nil })
      #expect(batch.failures.count == 1)
      detector.detect(in: &batch, now: Self.now, into: &decisions)
    }
    #expect(decisions.isEmpty)
  }

  /// `2130706433` and the like are addresses to the system's resolver.
  @Test func whatOnlyLooksLikeANameIsNotResolved() async throws {
    let plan = try plan("usedns: yes")
    let resolver = resolver(["2130706433.": .addresses(Self.addresses), "localhost.": .addresses(Self.addresses)])
    defer { resolver.stop() }
    var batch = batch(plan, "login of a from 2130706433 failed\nlogin of a from localhost failed\n")
    #expect(batch.failures.count == 2)
    #expect(await resolve(&batch, plan, resolver, later: 0).isEmpty)
    #expect(batch.failures.count == 2)
    #expect(resolver.counts.lookups == 0)
  }

  @Test func addressesDoNotWait() async throws {
    let plan = try plan("usedns: warn")
    let resolver = resolver([:])
    defer { resolver.stop() }
    var detector = Detector(plan)
    var decisions: [Decision] = []
    var batch = batch(plan, "login of a from 192.0.2.9 failed\nlogin of a from 192.0.2.9 failed\n")
    #expect(await resolve(&batch, plan, resolver, later: 0).isEmpty)
    detector.detect(in: &batch, now: Self.now, into: &decisions)
    #expect(decisions.map(\.identity) == [.network(Subnet(Address("192.0.2.9")!))])
    #expect(resolver.counts.asked == 0)
  }

  @Test func listsInIgnoreipAreReadAgain() throws {
    let directory = try TestDirectory("ignored")
    let file = try directory.write("list", "192.0.2.7 # an office\n")
    let plan = try plan("ignoreip: ['file:\(file)']")
    let resolver = resolver([:])
    defer { resolver.stop() }
    var ignored = IgnoredNames()
    #expect(ignored.refresh(plan, resolver) {} == [[Subnet("192.0.2.7")!]])
    try directory.write("list", "192.0.2.0/24\n2001:db8::/32\n")
    #expect(ignored.refresh(plan, resolver) {} == [[Subnet("192.0.2.0/24")!, Subnet("2001:db8::/32")!]])
  }

  @Test func namesInIgnoreipAreResolvedAgainAndKeptWhenDNSIsDown() async throws {
    let plan = try plan("ignoreip: [office.example, 192.0.2.100]")
    let isDown = Mutex(false)
    let time = Mutex(Self.now)
    // swift-format-ignore: OnlyOneTrailingClosureArgument
    let resolver = NameResolver(limits: NameResolver.Limits(), clock: { time.withLock { $0 } }) { _ in
      isDown.withLock { $0 } ? .none("down") : .addresses(Self.addresses)
    }
    defer { resolver.stop() }
    var ignored = IgnoredNames()
    let answers = Mutex(0)
    #expect(ignored.refresh(plan, resolver) { answers.withLock { $0 += 1 } } == nil)
    while answers.withLock({ $0 }) == 0 { await Task.yield() }
    let subnets = Self.addresses.map { Subnet($0) }
    #expect(ignored.refresh(plan, resolver) {} == [subnets])
    #expect(ignored.refresh(plan, resolver) {} == nil)

    isDown.withLock { $0 = true }
    time.withLock { $0 = $0.adding(.hours(1)) }
    #expect(ignored.refresh(plan, resolver) {} == nil)
    while resolver.counts.failed == 0 { await Task.yield() }
    #expect(ignored.refresh(plan, resolver) {} == nil)

    var detector = Detector(plan)
    detector.ignore([subnets])
    var decisions: [Decision] = []
    var batch = batch(
      plan, String(repeating: "login of a from 192.0.2.7 failed\nlogin of a from 2001:db8::7 failed\n", count: 3))
    detector.detect(in: &batch, now: Self.now, into: &decisions)
    #expect(batch.failures.count == 6)
    #expect(decisions.isEmpty)
  }
}
