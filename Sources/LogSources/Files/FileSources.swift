import Model
internal import System

/// Log files: which paths are wanted, which files are there, and what is read of them.
final class FileSources: LogSource {
  private let files = FollowedFiles()
  private let watches = FileWatches()
  private let listings = DirectoryListings()
  private let reading: FileReading
  private let recovery: Recovery
  private let restoration: Restoration
  private let scan: FileScan
  private var hasEvents = false
  /// When everything is looked at again, and when what inotify does not tell of (monotonic seconds).
  private var nextScan = 0.0
  private var nextLook = 0.0

  /// How long a file that was rotated away is followed after it last grew.
  private static let idleLimit = 60.0
  private static let removedLimit = 86_400.0
  /// Everything is looked at so often even if inotify tells nothing: it knows nothing of writes through mmap(2), for one.
  private static let scanEvery = 15.0
  /// Files and paths that inotify does not tell of.
  private static let lookEvery = 1.0

  init(table: SourceTable, poller: Poller, positions: [SourcePosition]) {
    reading = FileReading(table: table, buffer: LineBuffer(), files: files, watches: watches)
    recovery = Recovery(reading, listings)
    restoration = Restoration(positions, reading, recovery, listings)
    scan = FileScan(reading, recovery, restoration)
    reading.onTruncated = { [unowned recovery] in recovery.truncated($0, in: $1) }
    reading.onEmpty = { [unowned self] in forget($0) }
    scan.takeEvents = { [unowned self] in takeEvents() }
    if let descriptor = watches.descriptor { _ = poller.add(descriptor) { [unowned self] in hasEvents = true } }
  }

  var isFinished: Bool { scan.wanted.isEmpty }

  var nextTurn: Double {
    if isFinished { return .infinity }
    return watches.needsScan ? 0 : min(nextScan, nextLook, reading.nextDecision)
  }

  func apply(_ specs: [SourceSpec], _ reload: ReloadSnapshot?) {
    scan.want(specs, reload)
    for source in Array(files.all) {
      let specs = scan.specs(for: source.path)
      guard specs != source.specs else { continue }
      source.specs = specs
      reading.table.set(source.number, specs: specs)
      guard specs.isEmpty else { continue }
      restoration.keep(source)
      for file in source.queue { reading.release(file, from: source) }
      watches.forgetArrivals(at: source.path)
      files.remove(source)
    }
  }

  func turn(now: Double) -> Bool {
    guard !isFinished else { return false }
    if hasEvents { takeEvents() }
    if now >= nextLook { look(now) }
    if watches.needsScan || now >= nextScan {
      scan.lookAtAll()
      for source in files.all { for file in source.queue where file.look() { reading.wake(file) } }
      closeIdle(now)
      nextScan = now + Self.scanEvery
      nextLook = min(nextLook, now + Self.lookEvery)
    } else if !watches.paths.isEmpty {
      scan.look(at: watches.takePaths())
      nextLook = min(nextLook, now + Self.lookEvery)
    }
    reading.wakeUndecided(now: now)
    return reading.turn()
  }

  private func takeEvents() {
    hasEvents = false
    watches.drain(grown: reading.wake) { [reading, watches] file in
      reading.wake(file)
      if let source = file.source { watches.note(source.path) }
    }
  }

  /// Looks at what inotify does not tell of; once more when there is such a thing.
  private func look(_ now: Double) {
    var isUntold = false
    for source in files.all {
      for file in source.queue where !file.isTold {
        isUntold = true
        if file.look() { reading.wake(file) }
      }
      if !watches.isTold(directory: PathName.directory(of: source.path)) || reading.table.hasFailed(source.number) {
        isUntold = true
        watches.note(source.path)
      }
    }
    nextLook = isUntold ? now + Self.lookEvery : .infinity
  }

  /// Closes files that nobody writes to any more.
  private func closeIdle(_ now: Double) {
    for source in Array(files.all) {
      for file in source.queue where now - file.lastGrowth > Self.idleLimit && !file.isReady {
        let isLast = file === source.queue.last
        // A file that was moved out of a pattern's reach may still be written to; a day's silence ends that.
        let hasLeft = !file.isNamed && now - file.lastGrowth > Self.removedLimit && !scan.isPlain(source.path)
        if isLast ? file.links == 0 || hasLeft : file.isDrained && !file.isNamed { reading.close(file, of: source) }
      }
    }
  }

  /// A path that only a wildcard names is no source any more when its last file is gone.
  private func forget(_ source: FileSource) {
    watches.forgetArrivals(at: source.path)
    guard source.isKnown, !scan.isPlain(source.path) else { return }
    files.remove(source)
    reading.table.hide(source.number, true)
  }
}
