internal import Lists
internal import LockoutGuard
internal import Model
internal import Settings
internal import System

/// Looks after the lists of the settings on a thread of its own: reads them when they have changed or are due, checks them,
/// and hands on what is to be in force. The last good state of a list holds until there is a better one.
final class ListKeeper: Sendable {
  private struct Entry {
    var settings: ListSettings
    var report: ListReport
    /// As it was read; nil: never.
    var list: AddressList?
    var version: ListVersion?
    var due: Instant
    /// Of decisions, so many of those that were read no list should hold: they are not in `list`.
    var setAside = 0
    /// May it lose most of its entries, this once?
    var isAccepted = false

    /// - Throws: when a key cannot be read.
    func source() throws(ListProblem) -> ListSource {
      switch settings.source {
      case .path(let path): return .path(path)
      case .url(let url, let authority): return .url(url, authority: authority)
      case .crowdSec(let url, let key, let authority):
        do throws(Secret.Unreadable) {
          return .crowdSec(url: url, key: try key.read(), authority: authority)
        } catch {
          throw ListProblem("its key: \(error)")
        }
      case .places(let places):
        return .places(
          countries: Set(places.countries), countryFile: places.countryDatabase, networks: Set(places.networks),
          networkFile: places.networkDatabase)
      }
    }
  }

  private struct State {
    var entries: [Entry] = []
    var rules: [StaticRule] = []
    var isStopping = false
    var hasNews = false
    /// How often what is to be in force was worked out.
    var looks = 0
  }

  /// What is in force now. Called on the keeper's thread when it has changed.
  typealias Adopt = @Sendable (HeldLists) -> Void

  private let state: Monitor<State>
  private let cache: ListCache
  /// Whom people spare (`bailiff allow`), besides the allow lists.
  private let allowances: Allowances
  private let log: RunLog?
  private let thread = Monitor<ServiceThread?>(nil)

  /// Reads what is there already: files, and the kept state of what is fetched, so that the firewall blocks from the start
  /// what it blocked before.
  init(_ settings: Settings, allowances: Allowances, log: RunLog? = nil) {
    cache = ListCache(directory: settings.state + "/lists")
    self.allowances = allowances
    self.log = log
    state = Monitor(State())
    adopt(settings)
    read(at: SystemClock.now(), fetching: false)
  }

  /// What is to be in force.
  var held: HeldLists {
    let people = allowances.list(at: SystemClock.now())
    return state.withLock { Self.held(&$0, people) }
  }

  /// What one list holds, as it was read.
  func list(_ name: String) -> AddressList? {
    state.withLock { state in state.entries.first { $0.settings.name == name }?.list }
  }

  var reports: [ListReport] { state.withLock { $0.entries.map(\.report) } }

  /// A list that is not as it should be, by name, and why.
  func findings(at now: Instant) -> [(subject: String, text: String)] {
    state.withLock { state in
      state.entries.compactMap { entry in
        guard let problem = entry.report.problem else { return nil }
        guard let loaded = entry.report.loaded else {
          return (entry.settings.name, "\(problem); nothing is in force for it")
        }
        // A server may be away for a while.
        let patience = TimeSpan(microseconds: entry.settings.refresh.microseconds * 3)
        if entry.settings.isFetched, !entry.report.isRefused, now.since(loaded) < patience { return nil }
        return (entry.settings.name, "\(problem); the one of \(loaded) holds")
      }
    }
  }

  func start(_ adopt: @escaping Adopt) {
    let thread = ServiceThread("bailiff-lists") { [self] in
      var last = held
      while true {
        read(at: SystemClock.now(), fetching: true)
        let new = held
        if !new.isSame(as: last) { adopt(new) }
        last = new
        let isOver = state.wait(for: pause(at: SystemClock.now())) { state -> Bool? in
          guard state.isStopping || state.hasNews else { return nil }
          state.hasNews = false
          return state.isStopping
        }
        if isOver == true { return }
      }
    }
    self.thread.change { $0 = thread }
  }

  func stop() {
    state.change { $0.isStopping = true }
    let thread = self.thread.change { thread in
      defer { thread = nil }
      return thread
    }
    thread?.join()
  }

  /// Goes over to other settings; every list is looked at again at once.
  func reload(_ settings: Settings) {
    adopt(settings)
    state.change { $0.hasNews = true }
  }

  /// Takes a list over although it has lost most of its entries; false when there is none of that name.
  func accept(_ name: String) -> Bool {
    state.change { state in
      guard let place = state.entries.firstIndex(where: { $0.settings.name == name }) else { return false }
      state.entries[place].isAccepted = true
      state.entries[place].version = nil
      state.entries[place].due = Instant(microseconds: 0)
      state.hasNews = true
      return true
    }
  }

  // MARK: Inside

  private func adopt(_ settings: Settings) {
    let now = SystemClock.now()
    let lists = settings.lists.filter(\.enabled)
    state.change { state in
      state.rules = StaticRule.rules(of: settings)
      state.entries = lists.map { list in
        if var known = state.entries.first(where: { $0.settings.name == list.name && $0.settings.source == list.source }
        ) {
          known.settings = list
          known.due = now
          known.report.allows = list.allows
          known.report.isForRules = list.isForRules
          return known
        }
        var entry = Entry(
          settings: list,
          report: ListReport(name: list.name, source: "", allows: list.allows, isForRules: list.isForRules), due: now)
        entry.report.source = (try? entry.source()).map { "\($0)" } ?? ""
        if list.isFetched, let kept = cache.load(list.name) {
          entry.list = kept.list
          entry.version = kept.version
          entry.report.loaded = kept.fetched
        }
        return entry
      }
    }
  }

  private func pause(at now: Instant) -> Double {
    let next = (state.withLock { $0.entries.map(\.due) } + [allowances.nextEnd(after: now)].compactMap { $0 }).min()
    return next.map { max(1, Double($0.since(now).microseconds) / 1e6) } ?? .infinity
  }

  /// Reads the lists that are due.
  private func read(at now: Instant, fetching: Bool) {
    let due = state.withLock { $0.entries.filter { $0.due <= now } }
    for var entry in due {
      if entry.settings.isFetched, !fetching { continue }
      let wasAccepted = entry.isAccepted
      read(&entry, at: now)
      // A reload or `--accept` may have changed it meanwhile, or taken it away; then it is read again.
      state.withLock { [entry] state in
        guard let place = state.entries.firstIndex(where: { $0.settings == entry.settings }),
          state.entries[place].isAccepted == wasAccepted
        else { return }
        state.entries[place] = entry
      }
    }
  }

  private func read(_ entry: inout Entry, at now: Instant) {
    entry.due = now.adding(entry.settings.refresh)
    entry.report.checked = now
    entry.report.isRefused = false
    do throws(ListProblem) {
      let list: AddressList
      let version: ListVersion
      switch try entry.source().read(unless: entry.version) {
      case .unchanged:
        entry.report.problem = nil
        entry.report.loaded = now
        return
      case .text(let bytes, let read): (list, version) = (try parsed(bytes, &entry), read)
      case .entries(let entries, let read): (list, version) = (try checked(entries, &entry), read)
      }
      entry.version = version
      entry.report.loaded = now
      if entry.report.problem != nil { log?.notice("list \(entry.settings.name): it can be read again") }
      entry.report.problem = nil
      entry.list = list
      if entry.settings.isFetched {
        try cache.store(entry.settings.name, .init(list: list, version: version, fetched: now))
      }
    } catch {
      if entry.report.problem != error.description {
        log?.warning("list \(entry.settings.name): \(entry.report.source): \(error)")
      }
      entry.report.problem = error.description
      // Sooner than usual, where it may be a matter of minutes.
      if !entry.report.isRefused { entry.due = min(entry.due, now.adding(.minutes(15))) }
    }
  }

  private func parsed(_ bytes: [UInt8], _ entry: inout Entry) throws(ListProblem) -> AddressList {
    entry.report.isRefused = true
    let text = ListText(bytes.span, limit: entry.settings.limit)
    guard !text.isTooLong else { throw tooLong(entry) }
    guard !text.isNoList else {
      let first = text.firstStrange.map { "line \($0.line) is `\(printable($0.text))`" } ?? "it is empty"
      throw ListProblem("it is no list of addresses: \(first)")
    }
    entry.report.strange = text.strange
    return try checked(AddressList(text.subnets), &entry)
  }

  private func checked(_ list: AddressList, _ entry: inout Entry) throws(ListProblem) -> AddressList {
    entry.report.isRefused = true
    guard list.entries.count <= entry.settings.limit else { throw tooLong(entry) }
    // A file may be emptied on purpose; an empty answer is somebody's mistake.
    if case .url = entry.settings.source, list.isEmpty, entry.list?.isEmpty == false, !entry.isAccepted {
      throw ListProblem("it is empty; if that is right, `bailiff lists --accept \(entry.settings.name)`")
    }
    let check = check(entry.settings)
    var taken = list
    if entry.settings.allows || entry.settings.isForRules {
      _ = try check.allowable(list, before: entry.isAccepted ? nil : entry.list)
    } else {
      let rest = try check.blockable(list, before: entry.isAccepted ? nil : entry.list)
      if check.isOfDecisions {
        taken = rest
        entry.setAside = list.entries.count - rest.entries.count
      }
    }
    entry.isAccepted = false
    entry.report.isRefused = false
    return taken
  }

  private func tooLong(_ entry: Entry) -> ListProblem {
    ListProblem("it has more than \(entry.settings.limit) entries, which is its `limit`")
  }

  private func check(_ settings: ListSettings) -> ListCheck {
    let here = Protected.collect()
    return ListCheck(
      own: here.own.union(here.gateways).union(here.resolvers), leavesOutPrivate: settings.leavesOutPrivate,
      isOfDecisions: Self.isOfDecisions(settings))
  }

  private static func isOfDecisions(_ settings: ListSettings) -> Bool {
    if case .crowdSec = settings.source { true } else { false }
  }

  private static func held(_ state: inout State, _ people: AddressList) -> HeldLists {
    let allowed = AddressList(
      people.entries + state.entries.filter(\.settings.allows).flatMap { $0.list?.entries ?? [] })
    var held = HeldLists(allowed: allowed)
    state.looks += 1
    held.order = state.looks
    for place in state.entries.indices {
      let entry = state.entries[place]
      guard let list = entry.list else { continue }
      guard !entry.settings.allows, !entry.settings.isForRules else {
        state.entries[place].report.entries = list.entries.count
        continue
      }
      let check = ListCheck(allowed: allowed, leavesOutPrivate: entry.settings.leavesOutPrivate)
      // It was asked before it was taken; what remains is what is left out.
      let rest = (try? check.blockable(list)) ?? AddressList()
      state.entries[place].report.entries = rest.entries.count
      state.entries[place].report.leftOut = entry.setAside + list.entries.count - rest.entries.count
      _ = held.replace(entry.settings.name, with: rest)
    }
    for rule in state.rules {
      let entries = rule.entries(
        lists: { name in state.entries.first { $0.settings.name == name }?.list }, allowed: allowed)
      _ = held.replace(rule.name, with: entries)
    }
    return held
  }
}
