internal import Glibc
import Model
internal import System

/// A position as it was stored by the run before.
struct StoredFile {
  var slot: Int?
  var isDone = false
  var identity: FileIdentity
  var offset: UInt64
}

/// Takes up what the run before stored: finds each file by its identity, whatever it is called by now.
final class Restoration {
  private let reading: FileReading
  private let recovery: Recovery
  private let listings: DirectoryListings
  /// What is not taken up yet, by path.
  private var stored: [String: [StoredFile]] = [:]
  /// Files that are wanted now, by inode: one of them may be a stored one under another name. Made when it is needed.
  private var wanted: [UInt64: [String]]?

  init(_ positions: [SourcePosition], _ reading: FileReading, _ recovery: Recovery, _ listings: DirectoryListings) {
    self.reading = reading
    self.recovery = recovery
    self.listings = listings
    for position in positions {
      guard case .file(let identity, let offset) = position.position else { continue }
      let (path, slot, isDone) = FileSource.parse(position.source)
      stored[path, default: []].append(StoredFile(slot: slot, isDone: isDone, identity: identity, offset: offset))
      reading.files.addKnown(path)
    }
  }

  /// Should a path be wanted again, it goes on where its files are now.
  func keep(_ source: FileSource) {
    for file in source.queue where !file.isCopy {
      stored[source.path, default: []].append(
        StoredFile(slot: file.slot, identity: file.identity, offset: file.offset))
    }
  }

  /// Restores what is stored of `paths` and of other paths that `isWanted` says yes to; `source` makes a path's source.
  func restore(_ paths: [String], where isWanted: (String) -> Bool, source: (String) -> FileSource) {
    guard !stored.isEmpty else { return }
    let present = Set(paths)
    for (path, files) in stored where present.contains(path) || isWanted(path) {
      stored[path] = nil
      // Rotated ones first: they were drained before the source's own file was.
      let files = files.filter { $0.identity != .none }
      let source = source(path)
      source.remember(files.filter { $0.slot != nil }.map(\.identity))
      for file in files.sorted(by: { ($0.slot ?? .max) < ($1.slot ?? .max) }) { restore(file, to: source, paths) }
      LookBack(source: source, buffer: reading.buffer).read()
    }
    wanted = nil
  }

  private func restore(_ position: StoredFile, to source: FileSource, _ paths: [String]) {
    var file = find(position, of: source.path, paths)
    // A rotation may be under way right now: names change between looking and opening. Wait until they stay.
    for _ in 0..<100 where file == nil {
      let before = RotatedName.snapshot(of: source.path, listings)
      usleep(5000)
      file = find(position, of: source.path, paths)
      if file == nil, RotatedName.snapshot(of: source.path, listings) == before { break }
    }
    if let slot = position.slot {
      guard let file else { return recovery.takeRest(position, slot, of: source) }
      file.slot = slot
      file.isDrained = true
      add(file, to: source)
      if position.isDone { recovery.mark(position, slot, of: source, isDone: false) }
    } else if let file {
      // It was empty when it was stored, and may have been filled and emptied since.
      if file.path == source.path, position.identity.fingerprintLength < Fingerprint.enough {
        recovery.recover(position, of: source, before: file)
      }
      add(file, to: source)
      // Rotated meanwhile, perhaps since it was opened: what was made after this file and before today's.
      recovery.takeLater(than: file, of: source)
    } else {
      recovery.recover(position, of: source)
    }
  }

  private func add(_ file: FollowedFile, to source: FileSource) {
    file.resume(reading.buffer)
    reading.follow([file], in: source)
    reading.table.set(source.number, state: .reading, offset: file.offset)
  }

  /// The very file, with at least what was read of it: where it was, beside that, or at another path that is wanted.
  private func find(_ position: StoredFile, of path: String, _ paths: [String]) -> FollowedFile? {
    if let file = open(position, at: path) { return file }
    let directory = PathName.directory(of: path)
    for name in listings.names(of: position.identity.inode, in: directory) {
      if let file = open(position, at: PathName.join(directory, name)) { return file }
    }
    if wanted == nil {
      wanted = [:]
      for path in paths {
        if let status = try? FileStatus.of(path: path) { wanted![status.inode, default: []].append(path) }
      }
    }
    for path in wanted![position.identity.inode] ?? [] {
      if let file = open(position, at: path) { return file }
    }
    return nil
  }

  private func open(_ position: StoredFile, at path: String) -> FollowedFile? {
    guard let status = try? FileStatus.of(path: path), status.isRegular, position.identity.isSameFile(as: status),
      status.size >= position.offset, let file = try? FollowedFile(path: path, offset: position.offset),
      file.identity.inode == position.identity.inode,
      Fingerprint.matches(position.identity, head: Fingerprint.head(of: file.descriptor.raw))
    else { return nil }
    return file
  }
}
