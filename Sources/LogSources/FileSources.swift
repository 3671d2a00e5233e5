import Model

/// All files: which paths the patterns name, which files follow them, and whose turn it is to be read.
final class FileSources {
  struct Wanted {
    var pattern: PathPattern
    var spec: Int
    var start: SourceSpec.Start
    /// Not looked for yet: what is there now was there before.
    var isFirst = true
  }

  let table: SourceTable
  let buffer: LineBuffer
  var wanted: [Wanted] = []
  var sources: [String: FileSource] = [:]
  /// In the order in which they joined, which is the order of turns.
  var order: [FileSource] = []
  /// A pattern without any file is shown as a source that waits.
  var waitingPatterns: [PathPattern: Int] = [:]
  var watcher: FileWatcher?
  var watchedFiles: [Int32: [(FileSource, FollowedFile)]] = [:]
  var watchedDirectories: [Int32: String] = [:]
  /// What was stored by the run before and is not taken up yet, by path.
  var stored: [String: [StoredFile]] = [:]
  /// Every path that a position was ever known for.
  var known: Set<String> = []
  var needsScan = true
  /// Of the last reload.
  var askedFor: ReloadSnapshot?
  private var nextTick = 0.0
  private var hasReportedWatching = false
  private var nextScan = 0.0

  /// Chunks of one file before it is the next one's turn.
  private static let chunksPerTurn = 4
  /// How long a file that was rotated away is followed after it last grew.
  static let idleLimit = 60.0
  private static let removedLimit = 86_400.0
  /// Seconds between looks at every file and path, which catch what inotify does not tell (network file systems).
  private static let tick = 1.0
  private static let scanEvery = 5.0

  init(table: SourceTable, buffer: LineBuffer, positions: [SourcePosition]) {
    self.table = table
    self.buffer = buffer
    do {
      watcher = try FileWatcher()
    } catch {
      watcher = nil
    }
    for case let position in positions {
      guard case .file(let identity, let offset) = position.position else { continue }
      let (path, slot, isDone) = FileSource.parse(position.source)
      stored[path, default: []].append(StoredFile(slot: slot, isDone: isDone, identity: identity, offset: offset))
      known.insert(path)
    }
  }

  /// What specs want from now on. Files that nobody wants any more are released.
  func set(_ specs: [SourceSpec], _ askedFor: ReloadSnapshot? = nil) {
    self.askedFor = askedFor
    let before = Set(wanted.map(\.pattern))
    wanted = specs.enumerated().flatMap { index, spec in
      guard case .files(let patterns) = spec.kind else { return [Wanted]() }
      return patterns.map {
        let pattern = PathPattern($0)
        return Wanted(pattern: pattern, spec: index, start: spec.start, isFirst: !before.contains(pattern))
      }
    }
    for source in order {
      let specs = self.specs(for: source.path)
      if specs != source.specs {
        source.specs = specs
        table.set(source.number, specs: specs)
      }
    }
    for source in order where source.specs.isEmpty {
      for file in source.queue {
        unwatch(file)
        // Should it be wanted again, it goes on here.
        guard !file.isCopy else { continue }
        stored[source.path, default: []].append(
          StoredFile(slot: file.slot, identity: file.identity, offset: file.offset))
      }
      sources[source.path] = nil
      known.insert(source.path)
    }
    order.removeAll { $0.specs.isEmpty }
    for (pattern, number) in waitingPatterns where !wanted.contains(where: { $0.pattern == pattern }) {
      table.hide(number, true)
      waitingPatterns[pattern] = nil
    }
    needsScan = true
  }

  private func isPlain(_ path: String) -> Bool { wanted.contains { $0.pattern.isPlain && $0.pattern.text == path } }

  func specs(for path: String) -> [Int] {
    Array(Set(wanted.filter { $0.pattern.matches(path) }.map(\.spec))).sorted()
  }

  // MARK: What happened

  /// The watcher has events.
  var hasEvents = false

  var watcherDescriptor: Int32? { watcher?.descriptor.raw }

  func handleEvents() {
    guard hasEvents else { return }
    hasEvents = false
    // Taken out, because `drain` holds it exclusively while its events change this object.
    var events: [FileWatcher.Event] = []
    watcher?.drain { events.append($0) }
    for event in events {
      switch event {
      case .file(let watch):
        if watchedDirectories[watch] != nil { needsScan = true }
        for (source, file) in watchedFiles[watch] ?? [] {
          let links = file.links
          file.isReady = true
          _ = file.look()
          // A file that lost or changed its name: look what is at its path now.
          if file.links != links || source.queue.last !== file { needsScan = true }
          if (try? FileStatus.of(path: source.path)).map({ !file.identity.isSameFile(as: $0) }) ?? true {
            needsScan = true
          }
        }
      case .name(let watch, let name):
        guard let directory = watchedDirectories[watch] else { continue }
        if wanted.contains(where: { $0.pattern.concerns(name, in: directory) }) { needsScan = true }
      case .removed(let watch):
        watchedFiles[watch] = nil
        if watchedDirectories.removeValue(forKey: watch) != nil { needsScan = true }
      case .overflow:
        needsScan = true
        for source in order { for file in source.queue { file.isReady = true } }
      }
    }
  }

  /// Once a second: what inotify may have missed, and files that can be released.
  func tick(now: Double) {
    guard now >= nextTick else { return }
    nextTick = now + Self.tick
    if now >= nextScan { needsScan = true }
    // A copy: sources that are released leave the list.
    for source in Array(order) {
      for file in source.queue where file.look() { file.isReady = true }
      if let last = source.queue.last {
        if (try? FileStatus.of(path: source.path)).map({ !last.identity.isSameFile(as: $0) }) ?? (last.links > 0) {
          needsScan = true
        }
      }
      closeIdle(source, now: now)
      table.publish(source.number, lag: source.lag)
    }
  }

  func didScan(now: Double) {
    needsScan = false
    nextScan = now + Self.scanEvery
  }

  var isEmpty: Bool { wanted.isEmpty }

  // MARK: Reading

  /// One turn for every file that may have grown; true when there may be more to read at once.
  func turn() -> Bool {
    var more = false
    for source in order where turn(source) { more = true }
    return more
  }

  /// `isDraining`: more files will follow, so the last is like those before it.
  func turn(_ source: FileSource, isDraining: Bool = false) -> Bool {
    var i = 0
    while i < source.queue.count {
      let file = source.queue[i]
      if file.isReady {
        if file.isTruncated() {
          truncated(file, in: source)
          return true
        }
        switch read(file, of: source) {
        case .atEnd: file.isReady = false
        case .more: return true
        case .truncated:
          truncated(file, in: source)
          return true
        case .failed(let code):
          file.isReady = false
          table.set(source.number, state: .failed("cannot read \(file.path): \(SystemError.text(code))"))
          return false
        }
      }
      if isDraining || i < source.queue.count - 1, !file.isDrained {
        drained(file, in: source)
      }
      i += 1
    }
    return false
  }

  private func read(_ file: FollowedFile, of source: FileSource) -> FollowedFile.Outcome {
    var outcome = FollowedFile.Outcome.atEnd
    for _ in 0..<Self.chunksPerTurn {
      var counters = table.counters(source.number)
      outcome = file.read(buffer, source: source.number, to: table.sink, &counters)
      table.set(source.number, counters: counters)
      guard case .more = outcome else { break }
    }
    // Once a turn: each checkpoint wakes two threads, and where more is waiting nobody waits for one.
    if file.hasMoved { checkpoint(source) }
    return outcome
  }

  /// A file that was renamed away is read to its end: its successor's turn. Both positions are stored together.
  private func drained(_ file: FollowedFile, in source: FileSource) {
    file.isDrained = true
    file.slot = source.freeSlot()
    file.hasMoved = true
    source.head?.hasMoved = true
    checkpoint(source)
  }

  func checkpoint(_ source: FileSource) {
    let positions = source.takePositions()
    guard !positions.isEmpty else { return }
    table.sink.checkpoint(positions)
    if let head = source.head {
      table.publish(source.number, position: .file(head.identity, offset: head.offset), lag: source.lag)
    }
  }

  /// Closes files that nobody writes to any more.
  private func closeIdle(_ source: FileSource, now: Double) {
    for file in source.queue where now - file.lastGrowth > Self.idleLimit && !file.isReady {
      let isLast = file === source.queue.last
      // A file that was moved out of a pattern's reach may still be written to; a day's silence ends that.
      let hasLeft = !file.isNamed && now - file.lastGrowth > Self.removedLimit && !isPlain(source.path)
      guard isLast ? file.links == 0 || hasLeft : file.isDrained && !file.isNamed else { continue }
      var counters = table.counters(source.number)
      file.finishLastLine(buffer, source: source.number, to: table.sink, &counters)
      table.set(source.number, counters: counters)
      unwatch(file)
      source.queue.removeAll { $0 === file }
      source.read = source.read.suffix(31) + [file.identity]
      // What is stored of a rotated file stays: it tells which generations were read.
      var positions = [SourcePosition(source: source.name(of: file), position: .file(.none, offset: 0))]
      if !isLast, let slot = file.slot {
        positions.append(
          SourcePosition(
            source: FileSource.name(source.path, slot: slot, isDone: true),
            position: .file(file.identity, offset: file.offset)))
      }
      table.sink.checkpoint(positions)
      table.publish(source.number)
      if isLast { table.set(source.number, state: .waiting("the file is gone; it is looked for")) }
    }
    if source.queue.isEmpty, !isPlain(source.path), source.isKnown {
      known.insert(source.path)
      sources[source.path] = nil
      order.removeAll { $0 === source }
      table.hide(source.number, true)
    }
  }

  // MARK: Watches

  func watch(_ file: FollowedFile, of source: FileSource) {
    guard let watch = watcher?.watch(file: file.descriptor.raw) else {
      if !hasReportedWatching {
        hasReportedWatching = true
        let reason = SystemError.last("watch it").description
        table.report(
          source.number,
          .failed("\(reason); it is looked at once a second (raise fs.inotify.max_user_watches or …_instances)"))
      }
      return
    }
    file.watch = watch
    watchedFiles[watch, default: []].append((source, file))
  }

  func unwatch(_ file: FollowedFile) {
    guard let watch = file.watch else { return }
    file.watch = nil
    watchedFiles[watch]?.removeAll { $0.1 === file }
    if watchedFiles[watch]?.isEmpty ?? true {
      watchedFiles[watch] = nil
      watcher?.remove(watch)
    }
  }

  func watchDirectories() {
    for directory in Set(wanted.flatMap { $0.pattern.directories() })
    where !watchedDirectories.values.contains(directory) {
      if let watch = watcher?.watch(directory: directory) { watchedDirectories[watch] = directory }
    }
  }
}

/// A position as it was stored by the run before.
struct StoredFile {
  var slot: Int?
  var isDone = false
  var identity: FileIdentity
  var offset: UInt64
}
