import Foundation
import Model
import Pipeline
import Synchronization
import Testing

struct NameResolverTests {
  /// Time that is still until it is told.
  private final class Clock: Sendable {
    private let time = Mutex(Instant(seconds: 1_700_000_000))
    var now: Instant { time.withLock { $0 } }
    func advance(_ span: TimeSpan) { time.withLock { $0 = $0.adding(span) } }
  }

  /// A name server that answers when it is let; counts what it is asked.
  private final class Server: Sendable {
    private let names = Mutex<[String]>([])
    private let gate = DispatchSemaphore(value: 0)
    let isGated: Bool
    let answer: @Sendable (String) -> NameResolver.Answer

    init(gated: Bool = false, _ answer: @escaping @Sendable (String) -> NameResolver.Answer) {
      isGated = gated
      self.answer = answer
    }

    var asked: [String] { names.withLock { $0 } }
    func open(_ count: Int = 1) { for _ in 0..<count { gate.signal() } }

    func lookUp(_ name: String) -> NameResolver.Answer {
      names.withLock { $0.append(name) }
      if isGated { gate.wait() }
      return answer(name)
    }
  }

  private static let one = Address("192.0.2.1")!

  private func resolver(_ server: Server, _ clock: Clock, _ change: (inout NameResolver.Limits) -> Void = { _ in })
    -> NameResolver
  {
    var limits = NameResolver.Limits()
    change(&limits)
    return NameResolver(limits: limits, clock: { clock.now }, lookUp: { server.lookUp($0) })
  }

  private func answer(_ resolver: NameResolver, _ name: String) async -> NameResolver.Answer {
    await withCheckedContinuation { continuation in resolver.resolve(name) { continuation.resume(returning: $0) } }
  }

  @Test func anAnswerIsKeptForMinutesOnly() async {
    let clock = Clock()
    let server = Server { _ in .addresses([Self.one, Self.one]) }
    let resolver = resolver(server, clock)
    defer { resolver.stop() }
    #expect(await answer(resolver, "Mail.Example.ORG") == .addresses([Self.one]))
    #expect(await answer(resolver, "mail.example.org.") == .addresses([Self.one]))
    #expect(server.asked == ["mail.example.org."])
    clock.advance(.minutes(5))
    #expect(await answer(resolver, "mail.example.org") == .addresses([Self.one]))
    #expect(server.asked.count == 2)
    #expect(resolver.counts.fromCache == 1)
  }

  @Test func whatDoesNotResolveNowHasNoAddressAnyMore() async {
    let clock = Clock()
    let isGone = Mutex(false)
    let server = Server { _ in isGone.withLock { $0 } ? .none("gone") : .addresses([Self.one]) }
    let resolver = resolver(server, clock)
    defer { resolver.stop() }
    #expect(await answer(resolver, "a.example") == .addresses([Self.one]))
    isGone.withLock { $0 = true }
    clock.advance(.minutes(6))
    #expect(await answer(resolver, "a.example") == .none("gone"))
    // And soon has one again, if it comes back.
    isGone.withLock { $0 = false }
    #expect(await answer(resolver, "a.example") == .none("gone"))
    clock.advance(.minutes(1))
    #expect(await answer(resolver, "a.example") == .addresses([Self.one]))
  }

  /// To getaddrinfo `127.1` and `2130706433` are addresses: a line could name a victim in a way no pattern sees.
  @Test(arguments: [
    "127.1", "2130706433", "0x7f000001", "0x7f.0.0.1", "a.0x7f", "10.0.0.256", "localhost", "www", "", ".", "a..b",
    "-a.example",
    "a b.example", "a.example/24", "ünïcode.example", "a.example\u{0}", String(repeating: "a.", count: 127) + "example",
    String(repeating: "a", count: 64) + ".example",
  ])
  func whatIsNoFullNameIsNotAskedFor(_ name: String) async {
    let server = Server { _ in .addresses([Self.one]) }
    let resolver = resolver(server, Clock())
    defer { resolver.stop() }
    #expect(await answer(resolver, name) == .none("it is no full host name"))
    #expect(server.asked.isEmpty)
  }

  @Test func aNameIsAskedForOnceHoweverManyWait() async {
    let server = Server(gated: true) { _ in .addresses([Self.one]) }
    let resolver = resolver(server, Clock())
    defer { resolver.stop() }
    await withTaskGroup(of: NameResolver.Answer.self) { group in
      for _ in 0..<100 { group.addTask { await answer(resolver, "a.example") } }
      while resolver.counts.asked < 100 { await Task.yield() }
      server.open()
      for await answer in group { #expect(answer == .addresses([Self.one])) }
    }
    #expect(server.asked == ["a.example."])
  }

  @Test func namesThatWaitAreBounded() async {
    let server = Server(gated: true) { _ in .addresses([Self.one]) }
    let resolver = resolver(server, Clock()) { limits in
      limits.threads = 1
      limits.waitingNames = 10
    }
    let answers = Mutex<[NameResolver.Answer]>([])
    for number in 0..<100 {
      resolver.resolve("n\(number).example") { answer in answers.withLock { $0.append(answer) } }
    }
    // One may have been taken up before the others came.
    let refused = answers.withLock { $0 }
    #expect(refused.count == 90 || refused.count == 89)
    #expect(refused.allSatisfy { $0 == .none("too many names wait") })
    #expect(resolver.counts.refused == refused.count)
    resolver.stop()
    #expect(answers.withLock { $0 }.count == 100)
    server.open(20)
  }

  @Test func whoWaitsTooLongHasNoAnswerAndTheNextOneHas() async {
    let clock = Clock()
    let server = Server(gated: true) { _ in .addresses([Self.one]) }
    let resolver = resolver(server, clock) { $0.threads = 1 }
    defer { resolver.stop() }
    let first = Mutex<[NameResolver.Answer]>([])
    resolver.resolve("slow.example") { answer in first.withLock { $0.append(answer) } }
    while server.asked.isEmpty { await Task.yield() }
    resolver.resolve("behind.example") { answer in first.withLock { $0.append(answer) } }
    resolver.expire()
    #expect(first.withLock { $0 }.isEmpty)
    clock.advance(.seconds(10))
    resolver.expire()
    #expect(first.withLock { $0 } == [.none("no answer within 10 s"), .none("no answer within 10 s")])
    #expect(resolver.counts.late == 2)
    server.open(2)
    // The lookup that was under way was worth it; the one that nobody waited for was not begun.
    #expect(await answer(resolver, "slow.example") == .addresses([Self.one]))
    #expect(server.asked == ["slow.example."])
    #expect(await answer(resolver, "behind.example") == .addresses([Self.one]))
    #expect(first.withLock { $0 }.count == 2)
  }

  @Test func aNameWithTooManyAddressesHasNone() async {
    let many = (0..<17).map { Address("192.0.2.\($0)")! }
    let server = Server { $0 == "many.example." ? .addresses(many) : .addresses(Array(many.prefix(16))) }
    let resolver = resolver(server, Clock())
    defer { resolver.stop() }
    #expect(await answer(resolver, "many.example") == .none("it has more than 16 addresses"))
    #expect(await answer(resolver, "some.example") == .addresses(Array(many.prefix(16))))
  }

  @Test func keptAnswersAreBounded() async {
    let server = Server { _ in .addresses([Self.one]) }
    let resolver = resolver(server, Clock()) { $0.keptAnswers = 16 }
    defer { resolver.stop() }
    for number in 0..<100 { _ = await answer(resolver, "n\(number).example") }
    for number in 0..<100 { _ = await answer(resolver, "n\(number).example") }
    #expect(resolver.counts.fromCache <= 16)
    #expect(server.asked.count >= 184)
  }

  /// The system's own resolver, without a network: `.invalid` never resolves (RFC 6761).
  @Test func theSystemIsAsked() async {
    let resolver = NameResolver()
    defer { resolver.stop() }
    guard case .none = await answer(resolver, "nobody.bailiff.invalid") else {
      Issue.record("a name under .invalid has an address")
      return
    }
    #expect(resolver.counts.lookups == 1)
  }
}
