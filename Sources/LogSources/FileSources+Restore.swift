import Model

extension FileSources {
  /// Takes up what the run before stored: finds each file by its identity, whatever it is called by now.
  func restore(_ paths: [String]) {
    guard !stored.isEmpty else { return }
    let wantedPaths = Set(paths)
    for (path, files) in stored where wantedPaths.contains(path) || wanted.contains(where: { $0.pattern.matches(path) })
    {
      let source = source(path, specs: specs(for: path))
      stored[path] = nil
      // Rotated ones first: they were drained before the source's own file was.
      for file in files.sorted(by: { ($0.slot ?? .max) < ($1.slot ?? .max) }) where file.identity != .none {
        restore(file, to: source, paths)
      }
    }
  }

  private func restore(_ position: StoredFile, to source: FileSource, _ paths: [String]) {
    guard let file = find(position, of: source.path, paths) else {
      recover(position, of: source)
      return
    }
    if let slot = position.slot {
      file.slot = slot
      file.isDrained = true
    }
    add(file, to: source)
    // Rotated more than once meanwhile: what was written after this file and before today's.
    if position.slot == nil, file.path != source.path { addSuccessors(of: file, to: source) }
  }

  private func add(_ file: FollowedFile, to source: FileSource) {
    source.queue.append(file)
    watch(file, of: source)
    table.set(source.number, state: .reading, offset: file.offset)
  }

  /// The very file, with at least what was read of it.
  private func find(_ position: StoredFile, of path: String, _ paths: [String]) -> FollowedFile? {
    var candidates = [path]
    if let renamed = RotatedSiblings.find(position.identity, besides: path) { candidates.append(renamed) }
    candidates += paths
    for candidate in candidates {
      guard let status = try? FileStatus.of(path: candidate), position.identity.isSameFile(as: status),
        status.size >= position.offset, let file = try? FollowedFile(path: candidate, offset: position.offset),
        Fingerprint.matches(position.identity, head: Fingerprint.head(of: file.descriptor.raw))
      else { continue }
      return file
    }
    return nil
  }

  private func addSuccessors(of file: FollowedFile, to source: FileSource) {
    guard let start = FileStatus.of(descriptor: file.descriptor.raw) else { return }
    let current = try? FileStatus.of(path: source.path)
    for sibling in RotatedSiblings.of(source.path) where !sibling.isCompressed && sibling.modified >= start.modified {
      guard let status = try? FileStatus.of(path: sibling.path), current.map({ !$0.isSameFile(as: status) }) ?? true,
        follower(of: status).isEmpty, let next = try? FollowedFile(path: sibling.path)
      else { continue }
      add(next, to: source)
    }
  }

  /// The file is gone, or was emptied: perhaps a copy of it is there.
  private func recover(_ position: StoredFile, of source: FileSource) {
    if let copy = copy(of: position.identity, from: position.offset, besides: source.path, since: nil) {
      source.queue.append(copy)
      watch(copy, of: source)
      table.report(source.number, .recovered(from: copy.path))
      return
    }
    table.report(
      source.number,
      .lost(
        "the file that was read up to byte \(position.offset) is gone (emptied, compressed or deleted while Bailiff was "
          + "not running); what was written to it after that was not read"))
  }

  /// Emptied in place while we read it.
  func truncated(_ file: FollowedFile, in source: FileSource) {
    let (identity, offset, seen) = (file.identity, file.offset, file.lastSeenSize)
    var unread = file.restart(buffer)
    if let copy = copy(of: identity, from: offset, besides: source.path, since: file.lastVerified) {
      if let i = source.queue.firstIndex(where: { $0 === file }) { source.queue.insert(copy, at: i) }
      table.report(source.number, .recovered(from: copy.path))
      if copy.size >= seen { unread = 0 }
    }
    table.report(source.number, .truncated(unread: unread))
    checkpoint(source)
  }

  /// A sibling that begins as the emptied file did and is longer than what was read of it: logrotate's copytruncate
  /// copies first.
  private func copy(
    of identity: FileIdentity, from offset: UInt64, besides path: String, since: Int?
  ) -> FollowedFile? {
    guard identity.fingerprintLength > 0 else { return nil }
    for sibling in RotatedSiblings.of(path).reversed() where !sibling.isCompressed && sibling.size > offset {
      guard let status = try? FileStatus.of(path: sibling.path), status.changed >= since ?? 0,
        follower(of: status).isEmpty,
        let copy = try? FollowedFile(path: sibling.path, offset: offset, isCopy: true),
        Fingerprint.matches(identity, head: Fingerprint.head(of: copy.descriptor.raw))
      else { continue }
      return copy
    }
    return nil
  }
}
