internal import Glibc
import Model
internal import System

/// Looks what is at the paths that are wanted: opens what is new, notices what was replaced.
final class FileScan {
  struct Wanted {
    var pattern: PathPattern
    var spec: Int
    var start: SourceSpec.Start
    var lookBack: TimeSpan
    /// Not looked for yet: what is there now was there before.
    var isFirst = true
  }

  /// How a path is wanted, by all patterns together.
  private struct Found {
    var specs: Set<Int> = []
    var start = SourceSpec.Start.end
    var isFirst = true
    var isPlain = false

    mutating func add(_ want: Wanted) {
      specs.insert(want.spec)
      isPlain = isPlain || want.pattern.isPlain
      isFirst = isFirst && want.isFirst
      if want.start == .beginning { start = .beginning }
    }
  }

  private(set) var wanted: [Wanted] = []
  private let reading: FileReading
  private let recovery: Recovery
  private let restoration: Restoration
  private let files: FollowedFiles
  private let table: SourceTable
  private let watches: FileWatches
  /// A pattern without any file is shown as a source that waits.
  private var waitingPatterns: [PathPattern: Int] = [:]
  /// Patterns of which some file was read before.
  private var knownPatterns: Set<PathPattern> = []
  /// Of the last reload.
  private var reload: ReloadSnapshot?
  /// Takes in what inotify has told since.
  var takeEvents: () -> Void = {}

  init(_ reading: FileReading, _ recovery: Recovery, _ restoration: Restoration) {
    self.reading = reading
    self.recovery = recovery
    self.restoration = restoration
    files = reading.files
    table = reading.table
    watches = reading.watches
  }

  /// What is wanted from now on.
  func want(_ specs: [SourceSpec], _ reload: ReloadSnapshot?) {
    self.reload = reload
    let before = Set(wanted.map(\.pattern))
    wanted = specs.enumerated().flatMap { index, spec in
      spec.patterns.map { pattern in
        Wanted(
          pattern: pattern, spec: index, start: spec.start, lookBack: spec.lookBack, isFirst: !before.contains(pattern))
      }
    }
    for (pattern, number) in waitingPatterns where !wanted.contains(where: { $0.pattern == pattern }) {
      table.hide(number, true)
      waitingPatterns[pattern] = nil
    }
    watches.needsScan = true
  }

  func specs(for path: String) -> [Int] { Set(wanted.filter { $0.pattern.matches(path) }.map(\.spec)).sorted() }

  func isPlain(_ path: String) -> Bool { wanted.contains { $0.pattern.isPlain && $0.pattern.text == path } }

  // MARK: Looking

  /// Looks at everything.
  func lookAtAll() {
    watches.beginScan()
    // Directories first: a name that appears after they are listed is told by its event.
    watches.watchDirectories(of: wanted.map(\.pattern))
    var found: [String: Found] = [:]
    var paths: [String] = []
    for want in wanted {
      let matching = want.pattern.expand()
      note(matching.isEmpty, want)
      for path in matching {
        if found[path] == nil { paths.append(path) }
        found[path, default: Found()].add(want)
      }
    }
    if wanted.contains(where: \.isFirst) {
      knownPatterns = Set(
        wanted.map(\.pattern).filter { pattern in !pattern.isPlain && files.known.contains { pattern.matches($0) } })
    }
    restoration.restore(
      paths, where: { path in wanted.contains { $0.pattern.matches(path) } },
      source: { source($0, specs: specs(for: $0)) })
    for source in files.all { for file in source.queue { file.isNamed = false } }
    for path in paths { look(at: path, found[path]!) }
    for i in wanted.indices { wanted[i].isFirst = false }
    watches.endScan()
  }

  /// Looks at paths to which a name came, or from which one went.
  func look(at paths: Set<String>) {
    for path in paths.sorted() {
      var found = Found()
      for want in wanted where want.pattern.matches(path) {
        found.add(want)
        if let number = waitingPatterns[want.pattern] { table.hide(number, true) }
      }
      if !found.specs.isEmpty { look(at: path, found) }
    }
  }

  private func note(_ isMissing: Bool, _ want: Wanted) {
    if let number = waitingPatterns[want.pattern] {
      table.hide(number, !isMissing)
    } else if isMissing {
      let outlet = table.add(.file, want.pattern.text, specs: [want.spec], state: .waiting("not looked for yet"))
      waitingPatterns[want.pattern] = outlet.number
    }
    if isMissing, let number = waitingPatterns[want.pattern] { table.set(number, state: want.pattern.absence) }
  }

  private func source(_ path: String, specs: [Int]) -> FileSource {
    if let source = files[path] { return source }
    let outlet = table.add(.file, path, specs: specs, state: .waiting("not opened yet"))
    let lookBack = wanted.lazy.filter { specs.contains($0.spec) }.map(\.lookBack).max() ?? .zero
    let source = FileSource(outlet, path: path, specs: specs, lookBack: lookBack, isKnown: isKnown(path))
    files.add(source)
    return source
  }

  /// Was it, or another file of the same pattern, read before the restart? Then this one is new since.
  private func isKnown(_ path: String) -> Bool {
    files.known.contains(path) || knownPatterns.contains { $0.matches(path) }
  }

  private func look(at path: String, _ found: Found) {
    let specs = found.specs.sorted()
    let status: FileStatus
    do {
      status = try FileStatus.of(path: path)
    } catch {
      guard found.isPlain || files[path] != nil else { return }
      let source = source(path, specs: specs)
      if error.code == ENOENT || error.code == ENOTDIR {
        // A file that was renamed away or deleted may still be written to by who has it open.
        if source.queue.isEmpty { table.set(source.number, state: .waiting("there is no such file (yet)")) }
        source.isKnown = source.isKnown || found.isFirst
      } else {
        table.set(source.number, state: .failed("\(error); grant read access to it and its directories"))
      }
      return
    }
    guard status.isRegular else {
      let source = source(path, specs: specs)
      table.set(source.number, state: .failed("\(path) is \(status.kind), not a file; name a regular file"))
      return
    }
    for file in files.followers(of: status) {
      guard let owner = file.source, owner.path == path || Set(owner.specs).isSuperset(of: specs) else { continue }
      file.isNamed = true
      if owner.path == path {
        if owner.queue.last !== file, !file.isCopy { cameBack(file, in: owner) }
        if owner.queue.last === file { watches.countArrivals(at: path) }
        table.set(owner.number, state: .reading, offset: file.offset)
      }
      return
    }
    open(status, at: source(path, specs: specs), found)
  }

  /// Renamed there and back.
  private func cameBack(_ file: FollowedFile, in source: FileSource) {
    files.remove(file, from: source)
    files.add([file], to: source)
    file.isDrained = false
    file.slot = nil
    file.hasMoved = true
    reading.wake(file)
  }

  private func open(_ status: FileStatus, at source: FileSource, _ found: Found) {
    let startsAtEnd = !source.isKnown && found.start == .end && (found.isFirst || source.firstSize != nil)
    if startsAtEnd, source.firstSize == nil {
      source.firstSize = reload?.size(of: source.path, status) ?? status.size
    }
    do {
      let file = try FollowedFile(path: source.path)
      if startsAtEnd, let size = source.firstSize { file.seekToLine(before: size, reading.buffer) }
      file.mayBeDuplicate = !startsAtEnd
      if let last = source.queue.last {
        replaced(last, by: file, in: source)
      } else {
        watches.countArrivals(at: source.path)
      }
      source.isKnown = true
      source.firstSize = nil
      reading.follow([file], in: source)
      table.set(source.number, state: .reading, offset: file.offset)
      if source.queue.count == 1 { reading.checkpoint(source) }
    } catch {
      table.set(source.number, state: .failed("\(error); grant read access to it"))
    }
  }

  /// Is the file that was opened at `path` the only one that came there since the last look? What inotify had told before it
  /// was opened may have been about another one, which left again.
  private func isOnlyArrival(at path: String) -> Bool {
    guard watches.hasOneArrival(at: path) else { return false }
    DirectoryListing.awaitChanges(in: PathName.directory(of: path))
    takeEvents()
    return watches.hasOneArrival(at: path)
  }

  /// Another file took the path of `last`: after a rotation, or because a program wrote the log again.
  private func replaced(_ last: FollowedFile, by file: FollowedFile, in source: FileSource) {
    if isOnlyArrival(at: source.path) {
      watches.countArrivals(at: source.path)
    } else {
      watches.forgetArrivals(at: source.path)
      // Once it is seen there again, what comes is counted.
      watches.note(source.path)
      recovery.takeMissed(after: last, before: file, of: source)
    }
    // What is in it came after what was in the other one.
    file.caughtUpAt = last.caughtUpAt
    _ = last.look()
    reading.wake(last)
    if source.queue.last === last {
      while reading.turn(source) {}
      let known = Rewriting.known(in: file, replacing: last, reading.buffer)
      if known > 0 {
        file.seek(to: known)
        file.inheritLines(of: last)
        return reading.sayRewritten(source)
      }
    }
    table.report(source.number, .rotated)
  }
}
