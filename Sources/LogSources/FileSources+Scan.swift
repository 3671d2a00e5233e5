internal import Glibc
import Model

extension FileSources {
  /// Looks what is at the paths that are wanted: opens what is new, notices what was replaced.
  func scan(now: Double) {
    // Directories first: a name that appears after they are listed is told by its event.
    watchDirectories()
    var named: [String: (specs: Set<Int>, start: SourceSpec.Start, isFirst: Bool, isPlain: Bool)] = [:]
    var paths: [String] = []
    for want in wanted {
      let found = want.pattern.expand()
      note(found.isEmpty, pattern: want.pattern, spec: want.spec)
      for path in found {
        if named[path] == nil {
          named[path] = ([], want.start, want.isFirst, want.pattern.isPlain)
          paths.append(path)
        }
        named[path]!.specs.insert(want.spec)
        named[path]!.isPlain = named[path]!.isPlain || want.pattern.isPlain
        if want.start == .beginning { named[path]!.start = .beginning }
      }
    }
    restore(paths)
    for source in order { for file in source.queue { file.isNamed = false } }
    for path in paths {
      guard let want = named[path] else { continue }
      look(at: path, specs: want.specs.sorted(), want.start, isFirst: want.isFirst, isPlain: want.isPlain)
    }
    for i in wanted.indices { wanted[i].isFirst = false }
    didScan(now: now)
  }

  private func note(_ isMissing: Bool, pattern: PathPattern, spec: Int) {
    if let number = waitingPatterns[pattern] {
      table.hide(number, !isMissing)
    } else if isMissing {
      waitingPatterns[pattern] = table.add(.file, pattern.text, specs: [spec], state: .waiting("no file matches (yet)"))
    }
  }

  func source(_ path: String, specs: [Int]) -> FileSource {
    if let source = sources[path] { return source }
    let number = table.add(.file, path, specs: specs, state: .waiting("not opened yet"))
    let source = FileSource(number: number, path: path, specs: specs, isKnown: isKnown(path))
    sources[path] = source
    order.append(source)
    return source
  }

  /// Was it, or another file of the same pattern, read before the restart? Then this one is new since.
  private func isKnown(_ path: String) -> Bool {
    if known.contains(path) { return true }
    return wanted.contains { want in
      !want.pattern.isPlain && want.pattern.matches(path) && known.contains { want.pattern.matches($0) }
    }
  }

  /// The file that is open already, and the source it belongs to.
  func follower(of status: FileStatus) -> [(FileSource, FollowedFile)] {
    order.flatMap { source in
      source.queue.filter { $0.identity.isSameFile(as: status) }.map { (source, $0) }
    }
  }

  private func look(
    at path: String, specs: [Int], _ start: SourceSpec.Start, isFirst: Bool, isPlain: Bool
  ) {
    let status: FileStatus
    do {
      status = try FileStatus.of(path: path)
    } catch {
      guard isPlain || sources[path] != nil else { return }
      let source = source(path, specs: specs)
      if error.code == ENOENT || error.code == ENOTDIR {
        // A file that was renamed away or deleted may still be written to by who has it open.
        if source.queue.isEmpty { table.set(source.number, state: .waiting("there is no such file (yet)")) }
        source.isKnown = source.isKnown || isFirst
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
    for (owner, file) in follower(of: status) where owner.path == path || Set(owner.specs).isSuperset(of: specs) {
      file.isNamed = true
      if owner.path == path {
        // Renamed there and back.
        if owner.queue.last !== file, !file.isCopy {
          owner.queue.removeAll { $0 === file }
          owner.queue.append(file)
          file.isDrained = false
          file.slot = nil
          file.hasMoved = true
        }
        table.set(owner.number, state: .reading, offset: file.offset)
      }
      return
    }
    open(status, at: source(path, specs: specs), start, isFirst: isFirst)
  }

  private func open(_ status: FileStatus, at source: FileSource, _ start: SourceSpec.Start, isFirst: Bool) {
    let startsAtEnd = !source.isKnown && start == .end && (isFirst || source.firstSize != nil)
    if startsAtEnd, source.firstSize == nil {
      source.firstSize = askedFor?.size(of: source.path, status) ?? status.size
    }
    do {
      let file = try FollowedFile(path: source.path)
      if startsAtEnd, let size = source.firstSize { file.seekToLine(before: size, buffer) }
      if let last = source.queue.last {
        takeMissed(after: last, before: file, of: source)
        last.isReady = true
        table.report(source.number, .rotated)
      }
      source.queue.append(file)
      source.isKnown = true
      source.firstSize = nil
      watch(file, of: source)
      table.set(source.number, state: .reading, offset: file.offset)
      if source.queue.count == 1 { checkpoint(source) }
    } catch {
      table.set(source.number, state: .failed("\(error); grant read access to it"))
    }
  }
}
