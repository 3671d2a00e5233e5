internal import Glibc
import Model
internal import System

/// Finds what was not read of a log that was rotated, compressed, copied or emptied, and has it read before what is at its
/// path now.
final class Recovery {
  private let reading: FileReading
  private let files: FollowedFiles
  private let table: SourceTable
  private let listings: DirectoryListings

  init(_ reading: FileReading, _ listings: DirectoryListings) {
    self.reading = reading
    self.listings = listings
    files = reading.files
    table = reading.table
  }

  // MARK: After a restart

  /// If the file that was found is of an earlier generation: those that were made after it and before today's.
  func takeLater(than file: FollowedFile, of source: FileSource) {
    guard RotatedName.siblings(of: source.path, listings).contains(where: { $0.inode == file.identity.inode }) else {
      return
    }
    let siblings = OpenSibling.all(of: source.path, listings)
    guard let i = siblings.firstIndex(where: { $0.sibling.inode == file.identity.inode }) else { return }
    for later in unread(siblings[(i + 1)...], of: source) where !isRead(later, source.read) { take(later, of: source) }
  }

  /// The file is gone, or was emptied. If a copy of it is there, compressed or not, what was not read of it is read from
  /// that; else, after the last generation that is known to be read, those that came later.
  /// `known`: the file itself, where it was found; what is earlier than it is read.
  func recover(_ position: StoredFile, of source: FileSource, before known: FollowedFile? = nil) {
    var siblings = OpenSibling.all(of: source.path, listings)
    if let known, let i = siblings.firstIndex(where: { $0.sibling.inode == known.identity.inode }) {
      siblings.removeSubrange(i...)
    }
    let found =
      known != nil || position.identity.fingerprintLength < Fingerprint.enough
      ? nil
      : siblings.lastIndex {
        Fingerprint.matches(position.identity, head: $0.head) && !unread([$0], of: source).isEmpty
      }
    if let i = found ?? siblings.lastIndex(where: { isRead($0, source.read) }) {
      // One that is read may have been written to after its successor was made, and look later than that.
      let later = unread(siblings[(i + 1)...], of: source).filter { !isRead($0, source.read) }
      if found != nil { take(siblings[i], of: source, from: position.offset, position.identity) }
      for (number, next) in later.enumerated() {
        // Of the first one a little may have been read, too little for a fingerprint that could find it.
        let isBegun = found == nil && number == 0 && Fingerprint.matches(position.identity, head: next.head)
        take(next, of: source, from: isBegun ? position.offset : 0)
      }
      return
    }
    guard known == nil else { return }
    table.report(
      source.number,
      .lost(
        "the file that was read up to byte \(position.offset) is gone (emptied, compressed or deleted while Bailiff was "
          + "not running); what was written to it after that was not read"))
    // Said once; nothing to look for any more.
    table.sink.checkpoint([SourcePosition(source: source.path, position: .file(.none, offset: 0))])
  }

  /// A rotated file was read to its end, then something was still written to it, and it was compressed: what came late is
  /// read from there. If it is gone before it was silent for long, nobody can tell whether something came late.
  func takeRest(_ position: StoredFile, _ slot: Int, of source: FileSource) {
    guard position.identity.fingerprintLength >= Fingerprint.enough,
      let sibling = OpenSibling.all(of: source.path, listings, where: \.isCompressed).last(where: {
        Fingerprint.matches(position.identity, head: $0.head)
      })
    else {
      guard !position.isDone else { return }
      table.report(
        source.number,
        .lost(
          "a rotated file that was read up to byte \(position.offset) is gone; if something was still written to it after "
            + "that, while Bailiff was not running, it was not read"))
      return mark(position, slot, of: source, isDone: true)
    }
    let name = FileSource.name(source.path, slot: slot, isDone: position.isDone)
    var rest = position
    rest.offset = decompress(sibling, of: source, from: position.offset, position.identity, storedAs: name)
    if !position.isDone { mark(rest, slot, of: source, isDone: true) }
  }

  /// Stores a rotated file's position under the name that says whether it is done with.
  func mark(_ file: StoredFile, _ slot: Int, of source: FileSource, isDone: Bool) {
    table.sink.checkpoint([
      SourcePosition(
        source: FileSource.name(source.path, slot: slot, isDone: !isDone), position: .file(.none, offset: 0)),
      SourcePosition(
        source: FileSource.name(source.path, slot: slot, isDone: isDone),
        position: .file(file.identity, offset: file.offset)),
    ])
  }

  // MARK: While it runs

  /// Another file is at the path than the last one that is followed: were there others in between, which came and
  /// went before anybody looked? What came after `next`, which may have been renamed away meanwhile too, is for the next
  /// look: files are followed in the order in which they were written, since that is how their positions are stored.
  func takeMissed(after last: FollowedFile, before next: FollowedFile, of source: FileSource) {
    guard let reference = RotatedSibling(at: "/proc/self/fd/\(last.descriptor.raw)") else { return }
    let siblings = OpenSibling.all(of: source.path, listings) {
      $0.isCompressed ? $0.isLater(than: reference) : $0.birth >= reference.birth
    }
    let start = siblings.firstIndex { $0.sibling.inode == reference.inode }.map { $0 + 1 } ?? 0
    let end = siblings[start...].firstIndex { $0.sibling.inode == next.identity.inode } ?? siblings.endIndex
    for missed in unread(siblings[start..<end], of: source) {
      // What is compressed has another inode than the file that it was, which may be one that is read.
      if !missed.sibling.isCompressed || !isRead(missed, source.queue.map(\.identity) + source.read) {
        take(missed, of: source, caughtUpAt: last.caughtUpAt)
      }
    }
  }

  /// Emptied in place while we read it: logrotate's copytruncate copies it first. Without a copy, its content may be written
  /// again.
  func truncated(_ file: FollowedFile, in source: FileSource) {
    let copies = copies(of: file, source)
    guard !copies.isEmpty else { return reading.expectRewrite(of: file, in: source) }
    let seen = file.lastSeenSize
    var unread = file.restart()
    file.forgetLines()
    for copy in copies { copy.caughtUpAt = file.caughtUpAt }
    if let i = source.queue.firstIndex(where: { $0 === file }) { reading.follow(copies, in: source, at: i) }
    for copy in copies where copy.lag > 0 { table.report(source.number, .recovered(from: copy.path)) }
    if let first = copies.first, first.size >= seen { unread = 0 }
    table.report(source.number, .truncated(unread: unread))
    reading.checkpoint(source)
  }

  /// A sibling that begins as the emptied file did and holds at least what was read of it, and what was copied after it,
  /// if the file was emptied more than once since.
  private func copies(of file: FollowedFile, _ source: FileSource) -> [FollowedFile] {
    let identity = file.identity
    guard identity.fingerprintLength >= Fingerprint.enough else { return [] }
    let copies = file.duplicates + files.newcomers.values
    let siblings = OpenSibling.all(of: source.path, listings).filter { !$0.sibling.isCompressed }
    for (i, sibling) in siblings.enumerated().reversed() where sibling.sibling.size >= file.offset {
      guard let status = FileStatus.of(descriptor: sibling.log.descriptor.raw), status.changed >= file.lastAtEnd,
        files.followers(of: status).allSatisfy({ follower in copies.contains { $0 === follower } }),
        Fingerprint.matches(identity, head: sibling.head), let copy = sibling.follow(from: file.offset)
      else { continue }
      for follower in files.followers(of: status) { give(follower, of: file) }
      return [copy] + unread(siblings[(i + 1)...], of: source).compactMap { $0.follow() }
    }
    // A copy under any other name, which a wildcard found.
    for other in copies.reversed() {
      _ = other.look()
      guard other.size >= file.offset, Fingerprint.matches(identity, head: Fingerprint.head(of: other.descriptor.raw)),
        let copy = try? FollowedFile(
          path: "/proc/self/fd/\(other.descriptor.raw)", name: other.path, offset: file.offset, isCopy: true)
      else { continue }
      give(other, of: file)
      return [copy]
    }
    return []
  }

  /// A copy is read as the rest of its original, and no longer by itself.
  private func give(_ duplicate: FollowedFile, of original: FollowedFile) {
    original.removeDuplicate(duplicate)
    guard let owner = duplicate.source else { return }
    table.sink.checkpoint([SourcePosition(source: owner.name(of: duplicate), position: .file(.none, offset: 0))])
    reading.release(duplicate, from: owner)
    if owner.queue.isEmpty { reading.onEmpty(owner) }
  }

  // MARK: Siblings

  /// Those of later generations that nobody follows.
  private func unread(_ later: some Sequence<OpenSibling>, of source: FileSource) -> [OpenSibling] {
    let current = try? FileStatus.of(path: source.path)
    let head = (try? PastLog(source.path).decompressedHead()) ?? []
    return later.filter { other in
      if isCopy(other, of: head) { return false }
      guard let status = FileStatus.of(descriptor: other.log.descriptor.raw) else { return false }
      return !(current?.isSameFile(as: status) ?? false) && files.followers(of: status).isEmpty
    }
  }

  /// Is it a copy of the file that begins with `head` and is at the path now: a copytruncate that is under way? One
  /// that has only begun is as empty as a file that was renamed before anything was written to it: it is given half a
  /// second to show what it is.
  private func isCopy(_ sibling: OpenSibling, of head: [UInt8]) -> Bool {
    guard head.count >= Fingerprint.enough else { return false }
    var copied = sibling.head
    for _ in 0..<100 where copied.count < Fingerprint.enough && head.starts(with: copied) {
      usleep(5000)
      copied = (try? sibling.log.decompressedHead()) ?? copied
    }
    return copied.count >= Fingerprint.enough && head.starts(with: copied)
  }

  private func isRead(_ sibling: OpenSibling, _ read: [FileIdentity]) -> Bool {
    read.contains {
      $0.fingerprintLength >= Fingerprint.enough && Fingerprint.matches($0, head: sibling.head)
    }
  }

  /// Reads a rotated file: a compressed one at once, since nothing older is left to read; another in its turn.
  private func take(
    _ sibling: OpenSibling, of source: FileSource, from offset: UInt64 = 0, _ known: FileIdentity? = nil,
    caughtUpAt: Double? = nil
  ) {
    guard sibling.sibling.isCompressed else {
      if let file = sibling.follow(from: offset) {
        file.caughtUpAt = caughtUpAt
        table.report(source.number, .recovered(from: file.path))
        reading.follow([file], in: source)
        table.set(source.number, state: .reading, offset: offset)
      }
      return
    }
    // Files that came before must be read before.
    while reading.turn(source, isDraining: true) {}
    var identity = known ?? .none
    if known == nil {
      // Its inode was never seen; the fingerprint alone finds it again.
      identity.fingerprint = Fingerprint.hash(sibling.head.span)
      identity.fingerprintLength = UInt32(sibling.head.count)
    }
    let end = decompress(sibling, of: source, from: offset, identity, storedAs: source.path)
    source.remember([identity])
    let name = FileSource.name(source.path, slot: source.freeSlot(), isDone: true)
    table.sink.checkpoint([SourcePosition(source: name, position: .file(identity, offset: end))])
  }

  /// Reads a compressed file from `offset` on; returns how far.
  private func decompress(
    _ sibling: OpenSibling, of source: FileSource, from offset: UInt64, _ identity: FileIdentity, storedAs name: String
  ) -> UInt64 {
    var end = offset
    source.outlet.isLive = false
    source.outlet.decoder = Envelope(head: sibling.head.span).map { source.decoder($0) }
    do throws(SystemError) {
      try sibling.log.resume(at: offset, to: source.outlet) { offset in
        end = offset
        table.sink.checkpoint([SourcePosition(source: name, position: .file(identity, offset: offset))])
      }
      if end > offset { table.report(source.number, .recovered(from: sibling.sibling.path)) }
    } catch {
      table.report(source.number, .lost("\(error); what was not yet read of it is lost"))
    }
    return end
  }
}
