import Model
internal import System

/// Reads followed files, source by source, each in its turn, and tells how far.
final class FileReading {
  let table: SourceTable
  let buffer: LineBuffer
  let files: FollowedFiles
  let watches: FileWatches
  /// Called when a file turns out to be emptied.
  var onTruncated: (FollowedFile, FileSource) -> Void = { _, _ in }
  /// Called when the last file of a source is gone.
  var onEmpty: (FileSource) -> Void = { _ in }
  /// Sources with something to read.
  private var turns: [FileSource] = []
  /// Files of which it is not clear yet what they hold.
  var undecided: [ObjectIdentifier: FollowedFile] = [:]
  private var hasReportedWatching = false
  /// When nothing was left to read of any file, as far as was known (monotonic seconds).
  private var quietAt = 0.0

  /// Chunks of one file before it is the next one's turn.
  private static let chunksPerTurn = 4

  init(table: SourceTable, buffer: LineBuffer, files: FollowedFiles, watches: FileWatches) {
    self.table = table
    self.buffer = buffer
    self.files = files
    self.watches = watches
  }

  /// Follows files from now on; behind the others of the source, where nothing else is said.
  func follow(_ added: [FollowedFile], in source: FileSource, at index: Int? = nil) {
    files.add(added, to: source, at: index)
    for file in added {
      if !watches.watch(file) { reportUnwatched(source) }
      wake(file)
    }
  }

  private func reportUnwatched(_ source: FileSource) {
    guard !hasReportedWatching else { return }
    hasReportedWatching = true
    let reason = SystemError.last("watch it").description
    table.report(
      source.number,
      .failed("\(reason); it is looked at once a second (raise fs.inotify.max_user_watches or …_instances)"))
  }

  /// No longer follows a file.
  func release(_ file: FollowedFile, from source: FileSource) {
    undecided[ObjectIdentifier(file)] = nil
    watches.unwatch(file)
    files.remove(file, from: source)
  }

  /// It may have grown.
  func wake(_ file: FollowedFile) {
    file.isReady = true
    guard let source = file.source, !source.isInTurn else { return }
    source.isInTurn = true
    turns.append(source)
  }

  /// One turn for every file that may have grown; true when there may be more to read at once.
  func turn() -> Bool {
    let sources = turns
    turns.removeAll(keepingCapacity: true)
    files.forgetBeginnings()
    for source in sources {
      source.isInTurn = false
      if turn(source), !source.isInTurn {
        source.isInTurn = true
        turns.append(source)
      }
    }
    if turns.isEmpty { quietAt = monotonicSeconds() }
    return !turns.isEmpty
  }

  /// `isDraining`: more files will follow, so the last is like those before it.
  @discardableResult
  func turn(_ source: FileSource, isDraining: Bool = false) -> Bool {
    var i = 0
    while i < source.queue.count {
      let file = source.queue[i]
      if file.isReady {
        switch readiness(of: file, in: source) {
        case .unchanged:
          file.isReady = false
          file.caughtUpAt = monotonicSeconds()
        case .undecided: return false
        case .changed: return true
        case .readable:
          switch read(file, of: source) {
          case .atEnd: file.isReady = false
          case .more: return true
          case .truncated:
            onTruncated(file, source)
            return true
          case .failed(let code):
            file.isReady = false
            table.set(source.number, state: .failed("cannot read \(file.path): \(SystemError.text(code))"))
            return false
          }
        }
      }
      if isDraining || i < source.queue.count - 1, !file.isDrained { drained(file, in: source) }
      i += 1
    }
    return false
  }

  private func read(_ file: FollowedFile, of source: FileSource) -> FollowedFile.Outcome {
    var outcome = FollowedFile.Outcome.atEnd
    let now = monotonicSeconds()
    source.outlet.isLive = file.caughtUpAt.map { now - max($0, quietAt) <= LineOrigin.mostDelay } ?? false
    if !source.outlet.isLive { file.caughtUpAt = nil }
    file.prepare(source, buffer)
    for _ in 0..<Self.chunksPerTurn {
      outcome = file.read(buffer, to: source.outlet)
      guard case .more = outcome else { break }
    }
    if case .atEnd = outcome { file.caughtUpAt = now }
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

  /// A file that nobody writes to any more is closed; a last line that nobody ended counts as ended.
  func close(_ file: FollowedFile, of source: FileSource) {
    let isLast = file === source.queue.last
    source.outlet.isLive = file.caughtUpAt != nil
    file.prepare(source, buffer)
    file.finishLastLine(buffer, to: source.outlet)
    release(file, from: source)
    source.remember([file.identity])
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
    if source.queue.isEmpty { onEmpty(source) }
  }
}
