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
    if position.slot == nil, file.path != source.path {
      for path in successors(of: file, source) {
        if let next = try? FollowedFile(path: path) { add(next, to: source) }
      }
    }
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

  /// Siblings that were made after `file` and are not followed: later generations, none of which was read.
  private func successors(of file: FollowedFile, _ source: FileSource) -> [String] {
    guard let start = FileStatus.of(descriptor: file.descriptor.raw) else { return [] }
    let current = try? FileStatus.of(path: source.path)
    let birth = FileStatus.birth(of: file.path)
    return RotatedSiblings.of(source.path).filter { sibling in
      guard !sibling.isCompressed, sibling.birth >= birth, sibling.inode != start.inode,
        let status = try? FileStatus.of(path: sibling.path)
      else { return false }
      return !(current?.isSameFile(as: status) ?? false) && follower(of: status).isEmpty
    }.map(\.path)
  }

  /// The file is gone, or was emptied: perhaps a copy of it is there.
  private func recover(_ position: StoredFile, of source: FileSource) {
    let copies = copies(of: position.identity, from: position.offset, source, since: nil)
    for copy in copies {
      source.queue.append(copy)
      table.report(source.number, .recovered(from: copy.path))
    }
    guard copies.isEmpty else { return }
    table.report(
      source.number,
      .lost(
        "the file that was read up to byte \(position.offset) is gone (emptied, compressed or deleted while Bailiff was "
          + "not running); what was written to it after that was not read"))
    // Said once; nothing to look for any more.
    let name = position.slot.map { FileSource.name(source.path, slot: $0) } ?? source.path
    table.sink.checkpoint([SourcePosition(source: name, position: .file(.none, offset: 0))])
  }

  /// Emptied in place while we read it.
  func truncated(_ file: FollowedFile, in source: FileSource) {
    let (identity, offset, seen) = (file.identity, file.offset, file.lastSeenSize)
    var unread = file.restart(buffer)
    let copies = copies(of: identity, from: offset, source, since: file.lastVerified)
    if let i = source.queue.firstIndex(where: { $0 === file }) { source.queue.insert(contentsOf: copies, at: i) }
    for copy in copies { table.report(source.number, .recovered(from: copy.path)) }
    if let first = copies.first, first.size >= seen { unread = 0 }
    table.report(source.number, .truncated(unread: unread))
    checkpoint(source)
  }

  /// A sibling that begins as the emptied file did and holds at least what was read of it (logrotate's copytruncate
  /// copies first), and what was copied after it, if the file was emptied more than once since.
  private func copies(
    of identity: FileIdentity, from offset: UInt64, _ source: FileSource, since: Int?
  ) -> [FollowedFile] {
    guard identity.fingerprintLength > 0 else { return [] }
    for sibling in RotatedSiblings.of(source.path).reversed() where !sibling.isCompressed && sibling.size >= offset {
      guard let status = try? FileStatus.of(path: sibling.path), status.changed >= since ?? 0,
        follower(of: status).isEmpty,
        let copy = try? FollowedFile(path: sibling.path, offset: offset, isCopy: true),
        Fingerprint.matches(identity, head: Fingerprint.head(of: copy.descriptor.raw))
      else { continue }
      return [copy] + successors(of: copy, source).compactMap { try? FollowedFile(path: $0, isCopy: true) }
    }
    return []
  }
}
