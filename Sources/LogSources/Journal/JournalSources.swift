import Model
internal import System

/// The journal, once for each list of matches that is wanted of it.
final class JournalSources: LogSource {
  private let table: SourceTable
  private let poller: Poller
  private let buffer = LineBuffer()
  private var journals: [JournalSource] = []
  private var cursors: [String: String] = [:]
  private var specs: [SourceSpec] = []
  /// The files of specs that are read only while none of those is there, by the spec's index.
  private var fallbacks: [Int: [PathPattern]] = [:]
  /// Specs of which a file is there.
  private var replaced: Set<Int> = []
  /// When those files are looked for (monotonic seconds).
  private var nextLook = Double.infinity

  private static let lookEvery = 1.0

  init(table: SourceTable, poller: Poller, positions: [SourcePosition]) {
    self.table = table
    self.poller = poller
    for position in positions {
      if case .journal(let cursor) = position.position { cursors[position.source] = cursor }
    }
  }

  var isFinished: Bool { journals.isEmpty }

  var nextTurn: Double {
    let now = monotonicSeconds()
    return journals.reduce(nextLook) { min($0, $1.nextLook(now)) }
  }

  func apply(_ specs: [SourceSpec], _ reload: ReloadSnapshot?) {
    self.specs = specs
    fallbacks = [:]
    replaced = []
    for (index, spec) in specs.enumerated() {
      guard case .journal(_, _, let files) = spec.kind, !files.isEmpty else { continue }
      fallbacks[index] = files.map { PathPattern($0) }
    }
    _ = findFiles()
    nextLook = fallbacks.isEmpty ? .infinity : 0
    read(reload)
  }

  /// True when there are files where there were none.
  private func findFiles() -> Bool {
    let found = fallbacks.filter { $0.value.contains { !$0.existing.isEmpty } }.keys
    for index in found { fallbacks[index] = nil }
    replaced.formUnion(found)
    return !found.isEmpty
  }

  /// What specs of one list of matches want together.
  private struct Wanted {
    var name: String
    var match: JournalMatch
    var directory: String?
    var specs: [Int]
    var start: SourceSpec.Start
    var lookBack: TimeSpan
  }

  /// Reads for the specs that are not replaced.
  private func read(_ reload: ReloadSnapshot?) {
    var wanted: [Wanted] = []
    for (index, spec) in specs.enumerated() where !replaced.contains(index) {
      guard case .journal(let matches, let directory, _) = spec.kind else { continue }
      let match = JournalMatch(matches)
      let name = match.name(in: directory)
      if let i = wanted.firstIndex(where: { $0.name == name }) {
        wanted[i].specs.append(index)
        wanted[i].lookBack = max(wanted[i].lookBack, spec.lookBack)
      } else {
        wanted.append(
          Wanted(
            name: name, match: match, directory: directory, specs: [index], start: spec.start, lookBack: spec.lookBack))
      }
    }
    for journal in journals where !wanted.contains(where: { $0.name == table.name(journal.number) }) {
      table.set(journal.number, specs: [])
      if let handle = journal.handle { poller.remove(handle.descriptor) }
    }
    journals = wanted.map { want in
      if let old = journals.first(where: { table.name($0.number) == want.name }) {
        if old.specs != want.specs {
          old.specs = want.specs
          table.set(old.number, specs: want.specs)
        }
        return old
      }
      let outlet = table.add(.journal, want.name, specs: want.specs, state: .waiting("not opened yet"))
      return JournalSource(
        outlet, match: want.match, directory: want.directory, specs: want.specs, start: want.start,
        lookBack: want.lookBack, since: reload?.time, cursor: cursors[want.name], table: table, buffer: buffer)
    }
  }

  func turn(now: Double) -> Bool {
    if now >= nextLook {
      if findFiles() { read(nil) }
      nextLook = fallbacks.isEmpty ? .infinity : now + Self.lookEvery
    }
    var more = false
    for journal in journals {
      if journal.open(now: now), let handle = journal.handle {
        _ = poller.add(handle.descriptor) { [unowned journal] in journal.hasEvents = true }
      }
      if journal.turn(now: now) { more = true }
    }
    return more
  }
}
