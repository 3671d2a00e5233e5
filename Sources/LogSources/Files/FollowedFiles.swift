import Model
internal import System

/// Every path that is read and every file that is open, found by path, by inode and by how a file begins.
final class FollowedFiles {
  private struct Inode: Hashable {
    var device: UInt64
    var number: UInt64

    init(_ file: FollowedFile) { (device, number) = (file.identity.device, file.identity.inode) }
    init(_ status: FileStatus) { (device, number) = (status.device, status.inode) }
  }

  private(set) var sources: [String: FileSource] = [:]
  private var byInode: [Inode: [FollowedFile]] = [:]
  /// Paths that were read before, now or before a restart, and are not read at the moment.
  private(set) var known: Set<String> = []
  /// Files of which nothing was read yet: each may be a copy of another one.
  private(set) var newcomers: [ObjectIdentifier: FollowedFile] = [:]
  /// Files by the fingerprint of their beginning; made when it is asked for, good for one turn.
  private var beginnings: [UInt64: [FollowedFile]]?

  subscript(path: String) -> FileSource? { sources[path] }

  var all: Dictionary<String, FileSource>.Values { sources.values }

  func add(_ source: FileSource) { sources[source.path] = source }

  /// Its files must be gone.
  func remove(_ source: FileSource) {
    sources[source.path] = nil
    known.insert(source.path)
  }

  func addKnown(_ path: String) { known.insert(path) }

  /// Adds files to a source's queue; behind the others, where nothing else is said.
  func add(_ files: [FollowedFile], to source: FileSource, at index: Int? = nil) {
    source.insert(files, at: index ?? source.queue.count)
    for file in files {
      file.source = source
      if file.mayBeDuplicate { newcomers[ObjectIdentifier(file)] = file }
      byInode[Inode(file), default: []].append(file)
    }
  }

  func remove(_ file: FollowedFile, from source: FileSource) {
    source.remove(file)
    file.source = nil
    newcomers[ObjectIdentifier(file)] = nil
    let inode = Inode(file)
    byInode[inode]?.removeAll { $0 === file }
    if byInode[inode]?.isEmpty ?? false { byInode[inode] = nil }
  }

  /// It was looked at.
  func isNoNewcomer(_ file: FollowedFile) {
    file.mayBeDuplicate = false
    newcomers[ObjectIdentifier(file)] = nil
  }

  /// Those that have this very file open.
  func followers(of status: FileStatus) -> [FollowedFile] { byInode[Inode(status)] ?? [] }

  /// Files other than `file` that begin as it does, as far as their beginnings are known; `head` is how it begins.
  func beginning(as file: FollowedFile, head: [UInt8]) -> [FollowedFile] {
    let known = beginnings ?? indexBeginnings()
    beginnings = known
    var found: [FollowedFile] = []
    for hash in Fingerprint.hashes(of: head).dropFirst(Fingerprint.enough) {
      for other in known[hash] ?? [] where other !== file && other.source != nil { found.append(other) }
    }
    return found
  }

  private func indexBeginnings() -> [UInt64: [FollowedFile]] {
    var result: [UInt64: [FollowedFile]] = [:]
    for source in sources.values {
      for file in source.queue where file.identity.fingerprintLength >= Fingerprint.enough {
        result[file.identity.fingerprint, default: []].append(file)
      }
    }
    return result
  }

  /// Another turn: files may begin otherwise by now.
  func forgetBeginnings() { beginnings = nil }
}
