internal import CLinux
internal import System

/// What inotify watches for the files that are followed, and what it told. Where it cannot tell (network file systems, too
/// many watches), files and paths are looked at once a second instead.
final class FileWatches {
  private struct Directory {
    var watch: Int32
    /// Paths that are wanted may come and go in it.
    var isLeaf: Bool
    /// Directories that lead to wanted paths may.
    var isAbove: Bool
    /// Does inotify tell of everything that happens in it?
    var isTold: Bool
  }

  private var watcher: FileWatcher?
  private var files: [Int32: [FollowedFile]] = [:]
  private var directories: [String: Directory] = [:]
  /// The paths under which the directory of a watch is known: symbolic links may give it several.
  private var names: [Int32: [String]] = [:]

  /// Paths to look at, because a name came or left there.
  private(set) var paths: Set<String> = []
  /// How often a file came to a path since the last file that is followed was seen there; nil: that is not known.
  private var arrivals: [String: Int] = [:]
  /// Everything must be looked at.
  var needsScan = true

  init() {
    do { watcher = try FileWatcher() } catch { watcher = nil }
  }

  var descriptor: Int32? { watcher?.descriptor.raw }

  /// Takes in what happened; `grown` hears of files that may have been written to, `changed` of those that lost or changed
  /// a name.
  func drain(grown: (FollowedFile) -> Void, changed: (FollowedFile) -> Void) {
    // Taken out, because `drain` holds it exclusively while its events change this object.
    var events: [FileWatcher.Event] = []
    watcher?.drain { events.append($0) }
    for event in events {
      switch event {
      case .grown(let watch): for file in files[watch] ?? [] { grown(file) }
      case .changed(let watch):
        if names[watch] != nil { needsScan = true }
        for file in files[watch] ?? [] { changed(file) }
      case .came(let watch, let name): note(name, in: watch, isArrival: true)
      case .left(let watch, let name): note(name, in: watch, isArrival: false)
      case .removed(let watch):
        files[watch] = nil
        guard let paths = names.removeValue(forKey: watch) else { continue }
        for path in paths { directories[path] = nil }
        needsScan = true
        arrivals.removeAll()
      case .overflow:
        needsScan = true
        arrivals.removeAll()
        for path in directories.keys { directories[path]!.isTold = false }
        for file in files.values.joined() { grown(file) }
      }
    }
  }

  private func note(_ name: String, in watch: Int32, isArrival: Bool) {
    for directory in names[watch] ?? [] {
      guard let kind = directories[directory] else { continue }
      if kind.isAbove { needsScan = true }
      guard kind.isLeaf else { continue }
      let path = PathName.join(directory, name)
      paths.insert(path)
      if isArrival, let count = arrivals[path] { arrivals[path] = count + 1 }
    }
  }

  /// A path to look at.
  func note(_ path: String) { paths.insert(path) }

  /// The paths that were noted since the last call.
  func takePaths() -> Set<String> {
    defer { paths.removeAll() }
    return paths
  }

  /// Did exactly one file come to the path since the last one that is followed was seen there, so that nothing came and went in
  /// between?
  func hasOneArrival(at path: String) -> Bool {
    isTold(directory: PathName.directory(of: path)) && arrivals[path] == 1
  }

  /// The last file that is followed is at the path.
  func countArrivals(at path: String) { arrivals[path] = 0 }

  /// Nobody knows how many files came to the path.
  func forgetArrivals(at path: String) { arrivals[path] = nil }

  /// Everything is being looked at.
  func beginScan() {
    needsScan = false
    paths.removeAll()
  }

  /// Everything was looked at; what was told meanwhile is still to come.
  func endScan() {
    for path in directories.keys { directories[path]!.isTold = FileSystem.isTold(path) }
  }

  /// False when it cannot be watched, with errno.
  func watch(_ file: FollowedFile) -> Bool {
    guard let watch = watcher?.watch(file: file.descriptor.raw) else { return false }
    file.watch = watch
    files[watch, default: []].append(file)
    return true
  }

  func unwatch(_ file: FollowedFile) {
    guard let watch = file.watch else { return }
    file.watch = nil
    files[watch]?.removeAll { $0 === file }
    if files[watch]?.isEmpty ?? true {
      files[watch] = nil
      watcher?.remove(watch)
    }
  }

  /// Watches the directories of these patterns, and no others.
  func watchDirectories(of patterns: [PathPattern]) {
    var wanted: [String: (isLeaf: Bool, isAbove: Bool)] = [:]
    for pattern in patterns {
      let (leaves, above) = pattern.directories()
      for path in leaves { wanted[path, default: (false, false)].isLeaf = true }
      for path in above { wanted[path, default: (false, false)].isAbove = true }
    }
    for (path, directory) in directories where wanted[path] == nil {
      directories[path] = nil
      names[directory.watch]?.removeAll { $0 == path }
      guard names[directory.watch]?.isEmpty ?? true else { continue }
      names[directory.watch] = nil
      watcher?.remove(directory.watch)
    }
    for (path, kind) in wanted {
      if directories[path] != nil {
        directories[path]!.isLeaf = kind.isLeaf
        directories[path]!.isAbove = kind.isAbove
      } else if let watch = watcher?.watch(directory: path) {
        directories[path] = Directory(
          watch: watch, isLeaf: kind.isLeaf, isAbove: kind.isAbove, isTold: FileSystem.isTold(path))
        names[watch, default: []].append(path)
      }
    }
  }

  /// False: paths of this directory may change without a word.
  func isTold(directory: String) -> Bool { directories[directory]?.isTold ?? false }
}

/// Which file systems tell inotify of every change: local ones. What other machines or lower layers write goes untold.
enum FileSystem {
  /// ext2 to ext4, XFS, Btrfs, tmpfs, ramfs, F2FS, ZFS, bcachefs, JFS, Reiserfs (statfs(2) lists the numbers).
  private static let told: Set<Int> = [
    0xEF53, 0x5846_5342, 0x9123_683E, 0x0102_1994, 0x8584_58F6, 0xF2F5_2010, 0x2FC1_2FC1, 0xCA45_1A4E, 0x3153_464A,
    0x5265_4973,
  ]

  static func isTold(_ path: String) -> Bool {
    // Safe: the path is read during the call.
    told.contains(unsafe bailiff_file_system_type(path))
  }

  static func isTold(descriptor: Int32) -> Bool { told.contains(bailiff_file_system_type_of(descriptor)) }
}
