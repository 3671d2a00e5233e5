internal import Model
internal import Settings
internal import System

/// What the names and lists in `ignoreip` represent. A name that cannot be resolved just now keeps the addresses that it
/// had: nobody is banned because DNS is down.
struct IgnoredNames {
  private var known: [String: [Subnet]] = [:]
  private var failed: Set<String> = []
  private var last: [[Subnet]] = []

  /// Names for which nothing is ignored, since they have no address and never had one.
  var unresolved: [String] { failed.filter { known[$0] == nil }.sorted() }

  /// There is no address for this name now.
  mutating func note(failed name: String) { failed.insert(name) }

  /// The blocks of each of the plan's jails, where they have changed. `again` is called when an answer has come that had to
  /// be waited for, `onFailure` when there is none.
  mutating func refresh(
    _ plan: Plan, _ resolver: NameResolver, again: @escaping @Sendable () -> Void,
    onFailure: @escaping @Sendable (String) -> Void = { _ in }
  ) -> [[Subnet]]? {
    var files: [String: [IgnoreEntry]] = [:]
    var asked: Set<String> = []
    let lists = plan.jails.map { jail in
      jail.settings.ignoreip.flatMap { entry in
        subnets(entry, isList: false, &files) { name in
          guard asked.insert(name).inserted else { return }
          resolver.resolve(name) { answer in if case .addresses = answer { again() } else { onFailure(name) } }
        } known: {
          resolver.known($0)
        }
      }
    }
    guard lists != last, !(last.isEmpty && lists.allSatisfy(\.isEmpty)) else { return nil }
    last = lists
    return lists
  }

  /// The same, waiting for the answers: for a replay, which asks once and has the time. Returns the names that have none, too.
  mutating func resolve(
    _ plan: Plan, _ resolver: NameResolver, patience: TimeSpan = .seconds(10)
  ) -> (lists: [[Subnet]]?, unresolved: [String]) {
    let unanswered = Monitor(0)
    var names: Set<String> = []
    var files: [String: [IgnoreEntry]] = [:]
    for entry in plan.jails.flatMap(\.settings.ignoreip) {
      _ = subnets(entry, isList: false, &files) { name in
        guard names.insert(name).inserted else { return }
        unanswered.change { $0 += 1 }
        resolver.resolve(name) { _ in unanswered.change { $0 -= 1 } }
      } known: {
        resolver.known($0)
      }
    }
    _ = unanswered.wait(for: Double(patience.microseconds) / 1e6) { $0 == 0 ? true : nil }
    return (refresh(plan, resolver, again: {}), names.filter { known[$0] == nil }.sorted())
  }

  private mutating func subnets(
    _ entry: IgnoreEntry, isList: Bool, _ files: inout [String: [IgnoreEntry]], ask: (String) -> Void,
    known answer: (String) -> NameResolver.Answer?
  ) -> [Subnet] {
    switch entry {
    // Those of the settings themselves are in the jail's limits.
    case .subnet(let subnet): return isList ? [subnet] : []
    case .name(let name):
      switch answer(name) {
      case .addresses(let addresses):
        known[name] = addresses.map { Subnet($0) }
        failed.remove(name)
      case nil: ask(name)
      case .some(.none): break
      }
      return known[name] ?? []
    case .file(let path):
      let entries = files[path] ?? IgnoreFile.read(path).entries
      files[path] = entries
      return isList ? [] : entries.flatMap { subnets($0, isList: true, &files, ask: ask, known: answer) }
    }
  }

  /// After a reload: the jails are others.
  mutating func forget() { (last, failed) = ([], []) }
}
