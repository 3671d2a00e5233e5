public import Model
internal import System

/// Host names to addresses, on threads of its own, so that neither reading nor deciding ever waits for DNS.
///
/// ```swift
/// let resolver = NameResolver()
/// resolver.resolve("mail.example.org") { answer in … }   // at once from the cache, or later on the resolver's thread
/// ```
///
/// Names are in logs because attackers put them there, so everything has a bound: names that wait, callers, answers
/// that are kept, addresses in one answer, and time. What cannot be answered within these bounds has no address, and what
/// has no address is not banned. Answers are kept for minutes only: a ban rests on what the name resolves to now.
public final class NameResolver: Sendable {
  public enum Answer: Sendable, Equatable {
    /// At least one, without duplicates.
    case addresses([Address])
    /// Why there is none: one short clause for a log.
    case none(String)
  }

  public struct Limits: Sendable, Equatable {
    /// Lookups that run at the same time. A server that does not answer holds one for getaddrinfo's whole patience.
    public var threads = 2
    /// Names that wait for a lookup.
    public var waitingNames = 256
    /// Callers that wait for an answer.
    public var waitingCallers = 4096
    /// A caller waits no longer than this.
    public var patience = TimeSpan.seconds(10)
    public var keptAnswers = 1024
    /// How long an answer is believed; getaddrinfo does not tell what the DNS says (its TTL).
    public var lifetime = TimeSpan.minutes(5)
    /// The same where there was no address.
    public var failureLifetime = TimeSpan.minutes(1)
    /// A name with more addresses than this is nobody's in particular, and has none for us.
    public var addresses = 16

    public init() {}
  }

  public struct Counts: Sendable, Equatable {
    public var asked = 0
    public var fromCache = 0
    public var lookups = 0
    public var failed = 0
    /// Callers who were turned away or waited too long.
    public var refused = 0
    public var late = 0

    public init() {}
  }

  public typealias LookUp = @Sendable (String) -> Answer
  public typealias Completion = @Sendable (Answer) -> Void

  private struct Caller {
    var deadline: Instant
    var completion: Completion
  }

  private struct State {
    var callers: [String: [Caller]] = [:]
    var callerCount = 0
    /// Names that no thread has taken up yet, the first one first.
    var queue: [String] = []
    var cache: [String: (answer: Answer, until: Instant)] = [:]
    var counts = Counts()
    var isStopped = false
    var threads = 0
  }

  private let limits: Limits
  private let lookUp: LookUp
  private let clock: @Sendable () -> Instant
  private let state = Monitor(State())

  public convenience init(limits: Limits = Limits()) {
    self.init(limits: limits, clock: { SystemClock.now() }, lookUp: { SystemLookUp.answer($0) })
  }

  /// With a clock and a lookup of one's own.
  public init(limits: Limits, clock: @escaping @Sendable () -> Instant, lookUp: @escaping LookUp) {
    self.limits = limits
    self.clock = clock
    self.lookUp = lookUp
  }

  public var counts: Counts { state.withLock { $0.counts } }

  /// The answer, where it needs no waiting.
  public func known(_ name: String) -> Answer? {
    guard let name = HostName.canonical(name) else { return .none(Self.notAName) }
    let now = clock()
    return state.withLock { state in
      guard let kept = state.cache[name], kept.until > now else { return nil }
      state.counts.asked += 1
      state.counts.fromCache += 1
      return kept.answer
    }
  }

  private static let notAName = "it is no full host name"

  /// Calls `completion` exactly once: at once, on this thread, where the answer is known or there can be none; else on
  /// a thread of the resolver, or from `expire`.
  public func resolve(_ name: String, _ completion: @escaping Completion) {
    guard let name = HostName.canonical(name) else { return completion(.none(Self.notAName)) }
    let now = clock()
    let caller = Caller(deadline: now.adding(limits.patience), completion: completion)
    let (answer, needsThread) = state.change { state in
      let answer = take(name, caller, now, &state)
      // Threads come when they are needed, up to their limit, and stay.
      let needsThread = !state.queue.isEmpty && state.threads < limits.threads
      if needsThread { state.threads += 1 }
      return (answer, needsThread)
    }
    if needsThread { _ = ServiceThread("bailiff-names") { [self] in run() } }
    if let answer { completion(answer) }
  }

  /// Nil where the caller must wait.
  private func take(_ name: String, _ caller: Caller, _ now: Instant, _ state: inout State) -> Answer? {
    state.counts.asked += 1
    if let kept = state.cache[name] {
      if kept.until > now {
        state.counts.fromCache += 1
        return kept.answer
      }
      state.cache[name] = nil
    }
    guard !state.isStopped, state.callerCount < limits.waitingCallers,
      state.callers[name] != nil || state.queue.count < limits.waitingNames
    else {
      state.counts.refused += 1
      return .none(state.isStopped ? "the resolver has stopped" : "too many names wait")
    }
    state.callerCount += 1
    let isAskedFor = state.callers[name] != nil
    state.callers[name, default: []].append(caller)
    if !isAskedFor { state.queue.append(name) }
    return nil
  }

  private func run() {
    while true {
      // No name has no letters: that is the end.
      let name = state.wait { state -> String? in
        if state.isStopped { return "" }
        guard !state.queue.isEmpty else { return nil }
        state.counts.lookups += 1
        return state.queue.removeFirst()
      }
      guard let name, !name.isEmpty else { return }
      let answer = bounded(lookUp(name))
      let now = clock()
      let callers = state.change { keep(answer, for: name, now, &$0) }
      for caller in callers { caller.completion(answer) }
    }
  }

  private func bounded(_ answer: Answer) -> Answer {
    guard case .addresses(let all) = answer else { return answer }
    var seen: Set<Address> = []
    let distinct = all.filter { seen.insert($0).inserted }
    if distinct.isEmpty { return .none("it has no address") }
    return distinct.count > limits.addresses
      ? .none("it has more than \(limits.addresses) addresses") : .addresses(distinct)
  }

  /// The callers who still wait.
  private func keep(_ answer: Answer, for name: String, _ now: Instant, _ state: inout State) -> [Caller] {
    var lifetime = limits.lifetime
    if case .none = answer {
      state.counts.failed += 1
      lifetime = limits.failureLifetime
    }
    if state.cache.count >= limits.keptAnswers { makeRoom(now, &state) }
    state.cache[name] = (answer, now.adding(lifetime))
    let callers = state.callers.removeValue(forKey: name) ?? []
    state.callerCount -= callers.count
    return callers
  }

  /// Drops what is too old; where nothing is, an eighth of all, the oldest first.
  private func makeRoom(_ now: Instant, _ state: inout State) {
    state.cache = state.cache.filter { $0.value.until > now }
    guard state.cache.count >= limits.keptAnswers else { return }
    let oldest = state.cache.sorted { $0.value.until < $1.value.until }.prefix(max(1, limits.keptAnswers / 8))
    for (name, _) in oldest { state.cache[name] = nil }
  }

  /// Answers those who have waited too long; call it about once a second. A lookup that is still under way goes on, and
  /// its answer is kept for the next caller.
  public func expire() {
    let now = clock()
    let late = state.change { state in
      var late: [Caller] = []
      var forgotten: Set<String> = []
      for (name, callers) in state.callers {
        let patient = callers.filter { $0.deadline > now }
        guard patient.count < callers.count else { continue }
        late += callers.filter { $0.deadline <= now }
        // An empty list stays while the lookup runs: the name is asked for already.
        state.callers[name] = patient
        if patient.isEmpty { forgotten.insert(name) }
      }
      // Nobody waits for these any more, and no thread has begun.
      let unbegun = forgotten.intersection(state.queue)
      state.queue.removeAll { unbegun.contains($0) }
      for name in unbegun { state.callers[name] = nil }
      state.callerCount -= late.count
      state.counts.late += late.count
      return late
    }
    for caller in late { caller.completion(.none("no answer within \(limits.patience.seconds) s")) }
  }

  /// Ends the threads as soon as their lookups let them; callers who still wait get no address.
  public func stop() {
    let callers = state.change { state in
      defer {
        state.isStopped = true
        state.callers.removeAll()
        state.queue.removeAll()
        state.callerCount = 0
      }
      return state.callers.values.flatMap { $0 }
    }
    for caller in callers { caller.completion(.none("the resolver has stopped")) }
  }
}
