internal import System

/// What must be clear before a file is read: whether it still is the file that it was, or what was read before under
/// another name.
extension FileReading {
  enum Readiness {
    case readable
    /// There is nothing new in it.
    case unchanged
    /// It is too early to tell; it is woken again.
    case undecided
    /// The source's files changed: look again.
    case changed
  }

  func readiness(of file: FollowedFile, in source: FileSource) -> Readiness {
    if file.rewriting != nil { return decideRewrite(of: file, in: source) }
    if file.isTruncated() {
      onTruncated(file, source)
      return .changed
    }
    if file.mayBeDuplicate || file.original != nil { return decideDuplicate(file, in: source) }
    return .readable
  }

  // MARK: Copies

  /// A file that joined by a wildcard may be a copy of one that is followed (logrotate's copytruncate, a backup): what both
  /// hold is read once.
  private func decideDuplicate(_ file: FollowedFile, in source: FileSource) -> Readiness {
    guard file.size > 0 else { return .unchanged }
    if file.mayBeDuplicate {
      files.isNoNewcomer(file)
      for other in files.beginning(as: file, head: Fingerprint.head(of: file.descriptor.raw)) {
        // What one wildcard names is one log; two that are named apart may have the same lines, for different readers.
        guard let owner = other.source, !Set(owner.specs).isDisjoint(with: source.specs) else { continue }
        switch compare(file, with: other, in: source) {
        case .readable: continue
        case let decided: return decided
        }
      }
      return .readable
    }
    guard let original = file.original else { return .readable }
    guard original.source != nil else {
      original.removeDuplicate(file)
      return .readable
    }
    return compare(file, with: original, in: source)
  }

  /// `.readable`: it is no copy, or no longer one.
  private func compare(_ file: FollowedFile, with other: FollowedFile, in source: FileSource) -> Readiness {
    if let owner = other.source, other.rewriting == nil, other.isTruncated() {
      // A copy that was made before that is now read as the rest of it.
      if file.original == nil { other.addDuplicate(file) }
      onTruncated(other, owner)
      wake(other)
      if file.source !== source { return .changed }
    }
    let end = min(file.size, other.size)
    guard other.rewriting == nil, end >= file.offset, file.isSame(as: other, before: end, buffer) else {
      other.removeDuplicate(file)
      return .readable
    }
    if file.original == nil { other.addDuplicate(file) }
    file.seekToLine(before: end, buffer)
    if file.hasMoved { checkpoint(source) }
    guard file.size > other.size else { return .unchanged }
    // It goes on where the other one does not.
    other.removeDuplicate(file)
    return .readable
  }

  // MARK: Content that was written again

  /// A file was emptied, and nothing tells where its content went: perhaps it comes again.
  func expectRewrite(of file: FollowedFile, in source: FileSource) {
    let before = file.recentLines.hashes
    let offset = file.offset
    let unread = file.restart()
    let now = monotonicSeconds()
    file.rewriting = PendingRewrite(
      before: before, offset: offset, unread: unread, quietSince: now, deadline: now + PendingRewrite.patience)
    undecided[ObjectIdentifier(file)] = file
  }

  private func decideRewrite(of file: FollowedFile, in source: FileSource) -> Readiness {
    guard var pending = file.rewriting else { return .readable }
    let now = monotonicSeconds()
    let isPast = now >= pending.deadline
    if file.look() { pending.quietSince = now }
    file.rewriting = pending
    guard isPast || file.size > 0 else { return wait(for: file) }
    if Rewriting.isSuspected(file, pending, buffer) {
      guard isPast || now - pending.quietSince >= PendingRewrite.quiet else { return wait(for: file) }
    }
    file.rewriting = nil
    _ = file.restart()
    let known = Rewriting.known(in: file, after: pending.before, buffer)
    if known > 0 {
      file.seek(to: known)
      sayRewritten(source)
    } else {
      file.forgetLines()
      table.report(source.number, .truncated(unread: pending.unread))
    }
    checkpoint(source)
    return .readable
  }

  private func wait(for file: FollowedFile) -> Readiness {
    undecided[ObjectIdentifier(file)] = file
    return .undecided
  }

  func sayRewritten(_ source: FileSource) {
    guard !source.isSaidToRewrite else { return }
    source.isSaidToRewrite = true
    table.report(source.number, .rewritten)
  }

  /// When a file that is undecided must be looked at, though nothing may happen to it (monotonic seconds).
  var nextDecision: Double {
    undecided.values.reduce(.infinity) { min($0, $1.rewriting?.nextLook(isEmpty: $1.size == 0) ?? 0) }
  }

  func wakeUndecided(now: Double) {
    guard now >= nextDecision else { return }
    let waiting = undecided.values
    undecided.removeAll()
    for file in waiting { wake(file) }
  }
}
