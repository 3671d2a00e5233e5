internal import Fail2banMatching
internal import Filters
internal import LogSources
internal import Matching
internal import Model
internal import Settings
internal import Synchronization
internal import System

/// Looks for a jail's lines where it does not read, while where it reads nothing has come.
final class OtherPlace: Sendable {
  private struct Look {
    var last: Instant?
    var found: [HealthFindings.Finding] = []
  }

  /// Reading ends of logs and asking the journal costs some milliseconds a jail.
  private static let pauses = (first: TimeSpan.seconds(10), later: TimeSpan.minutes(10))
  /// For how long after the start somebody may wait to see whether it is well.
  private static let fresh = TimeSpan.minutes(2)
  private let since: Instant
  private let look = Mutex(Look())

  /// - Parameter since: what is older says nothing.
  init(since: Instant) { self.since = since }

  /// Of the jails that have seen nothing which their filters understand, those whose lines are elsewhere.
  func found(_ silent: [Plan.Entry], _ plan: Plan, now: Instant) -> [HealthFindings.Finding] {
    look.withLock { look in
      let pause = now.since(since) < Self.fresh ? Self.pauses.first : Self.pauses.later
      if let last = look.last, now >= last, now.since(last) < pause {
        return look.found.filter { found in silent.contains { $0.settings.name == found.subject } }
      }
      look.last = now
      look.found = silent.compactMap { jail in find(jail, plan).map { (jail.settings.name, $0) } }
      return look.found
    }
  }

  private func find(_ jail: Plan.Entry, _ plan: Plan) -> String? {
    guard let index = jail.filter else { return nil }
    let settings = jail.settings
    let read = settings.sources()
    let filter = plan.filters[index]
    let place: String
    let remedy: String
    if let path = (read.journal.isEmpty ? [] : otherFiles(settings, read)).first(where: { hasLines($0, filter) }) {
      (place, remedy) = (path, "set `backend: files`, or name it in `logpath`")
    } else if read.journal.isEmpty || read.isJournalInstead, let matches = otherJournal(settings), hasEntries(matches) {
      (place, remedy) = ("journal \(matches.joined(separator: " or "))", "set `backend: journal`")
    } else {
      return nil
    }
    return
      "nothing that filter \(filter.definition.name) understands has come from \(read.description) since the start, "
      + "but from \(place), which is not read: \(remedy)"
  }

  private func otherFiles(_ settings: JailSettings, _ read: LogChoice) -> [String] {
    let known = settings.logpath.isEmpty ? settings.definition?.logpath ?? [] : settings.logpath
    return known.filter { !read.files.contains($0) }.flatMap { LogTail.files($0) }
  }

  /// Nil: none is known. A jail with a log of its own is not about this machine's service.
  private func otherJournal(_ settings: JailSettings) -> [String]? {
    guard settings.containers.isEmpty else { return nil }
    let own = settings.definition.map { Set($0.logpath) } ?? []
    let known =
      !settings.journalmatch.isEmpty
      ? settings.journalmatch : own.isSuperset(of: settings.logpath) ? settings.definition?.journalmatch ?? [] : []
    return known.isEmpty ? nil : known
  }

  private func hasLines(_ path: String, _ filter: Filter) -> Bool {
    guard let status = try? FileStatus.of(path: path), status.modified / 1000 >= since.microseconds,
      let lines = try? LogTail.lines(of: path)
    else { return false }
    return lines.contains { line in
      switch filter.understanding(of: line.span) {
      case .understood, .unknowable: true
      case .otherProgram, .noHeader, .otherFormat: false
      }
    }
  }

  private func hasEntries(_ matches: [String]) -> Bool {
    guard Settings.Machine.current.hasJournal, let last = try? LogTail.lastEntry(matching: matches) else {
      return false
    }
    return last >= since
  }
}
