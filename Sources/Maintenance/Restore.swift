internal import AuditLog
internal import Glibc
public import Model
internal import System

/// What is in a backup, put back where it was. What is there now is kept beside it, with `.before-TIME` behind its name.
public struct Restore: Sendable {
  private let archive: Archive
  public let manifest: Manifest
  /// Settings, filters and lists that would change, by their full paths.
  public let changes: [String]
  /// All of them that are in the backup.
  public let files: [String]
  public let hasDatabase: Bool

  /// Unpacks `file`, and computes the audit's whole chain again: a damaged backup is refused before anything is touched.
  public init(_ file: String) throws {
    archive = try Archive(beside: file)
    try archive.unpack(file)
    guard let text = SmallFile.text(archive.path("manifest")), let manifest = Manifest(text) else {
      throw RequestError(
        .rejected, "\(file) is no backup that this version knows", remedy: "name a file that `bailiff backup` wrote")
    }
    self.manifest = manifest
    files = try archive.files()
    var changes: [String] = []
    for path in files {
      let new = try Archive.read(archive.path("files" + path))
      let old = try? Archive.read(path)
      if old != new { changes.append(path) }
    }
    self.changes = changes
    let database = archive.path("bailiff.db")
    hasDatabase = (try? FileStatus.of(path: database)) != nil
    guard try !hasDatabase || AuditStore.readOnly(path: database).verify().isWhole else {
      throw RequestError(
        .rejected, "the audit in \(file) is not whole",
        remedy: "take another backup; `bailiff audit verify` checks the one in use")
    }
  }

  /// - Throws: `RequestError` where the audit is to be put back while a process has it open: it would go on writing the old one.
  /// - Returns: what was kept, by its new names.
  public func putBack(settings: Bool, audit: Bool, now: Instant) throws -> [String] {
    let audit = audit && hasDatabase
    if audit, let holder = try StoreHolder.of(manifest.database) {
      throw RequestError(
        .rejected, "process \(holder.process) (\(holder.name)) has \(manifest.database) open",
        remedy: "end it first; the daemon with: systemctl stop bailiff")
    }
    let suffix = ".before-" + now.rfc3339().filter { $0 != ":" }
    return try (settings ? putBackFiles(suffix) : []) + (audit ? putBackDatabase(suffix) : [])
  }

  private func putBackFiles(_ suffix: String) throws -> [String] {
    var kept: [String] = []
    for path in changes {
      if let old = try? Archive.read(path) {
        try SmallFile.replace(path + suffix, with: old, mode: 0o600)
        kept.append(path + suffix)
      }
      try Archive.copy(archive.path("files" + path), to: path)
    }
    return kept
  }

  private func putBackDatabase(_ suffix: String) throws -> [String] {
    let target = manifest.database
    if let directory = Directory.parent(of: target) { try Directory.make(directory, mode: 0o700) }
    // Into the same directory first, since a file can be renamed only within a file system.
    let new = "\(target).new-\(getpid())"
    let copy = Program(path: "/bin/cp", arguments: ["--", archive.path("bailiff.db"), new])
    let result = try copy.run(deadline: 3600)
    // Safe: chmod(2) reads the path during the call.
    guard result.status == 0, unsafe chmod(new, 0o600) == 0 else {
      try? SmallFile.remove(new)
      throw RequestError(.rejected, "\(target) was not written: \(result.errors)", remedy: "make room on its disk")
    }
    var kept: [String] = []
    for end in ["", "-wal", "-shm"] where (try? FileStatus.of(path: target + end)) != nil {
      try SmallFile.rename(target + end, to: target + suffix + end)
      kept.append(target + suffix + end)
    }
    try SmallFile.rename(new, to: target)
    return kept
  }
}
