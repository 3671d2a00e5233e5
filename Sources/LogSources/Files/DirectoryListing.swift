internal import Glibc
internal import Model
internal import System

/// The names in a directory, sorted, with their inodes.
struct DirectoryListing {
  struct Entry: Equatable {
    var name: String
    var inode: UInt64
  }

  let entries: [Entry]

  init(of directory: String) {
    var entries: [Entry] = []
    // Safe: opendir(3) reads the path; the stream is closed below.
    if let stream = unsafe opendir(directory) {
      defer { unsafe _ = closedir(stream) }
      // Safe: readdir(3) returns an entry that is good until the next call; its name ends with NUL.
      while let entry = unsafe readdir(stream) {
        let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) {
          unsafe $0.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
        }
        entries.append(Entry(name: name, inode: UInt64(unsafe entry.pointee.d_ino)))
      }
    }
    self.entries = entries.sorted { $0.name < $1.name }
  }

  /// Returns when changes of the directory that are under way are done and told to inotify: the kernel lists a directory only
  /// between two changes, and tells of one before it begins the next.
  static func awaitChanges(in directory: String) {
    // Safe: as in `init`.
    guard let stream = unsafe opendir(directory) else { return }
    unsafe _ = readdir(stream)
    unsafe _ = closedir(stream)
  }

  /// Those that begin with `prefix`.
  func entries(from prefix: some StringProtocol) -> ArraySlice<Entry> {
    var (low, high) = (0, entries.count)
    while low < high {
      let middle = (low + high) / 2
      if entries[middle].name < prefix { low = middle + 1 } else { high = middle }
    }
    var end = low
    while end < entries.count, entries[end].name.hasPrefix(prefix) { end += 1 }
    return entries[low..<end]
  }
}

/// Listings that are still true, so that a thousand rotated files in one directory do not list it a thousand times.
final class DirectoryListings {
  private struct Kept {
    var listing: DirectoryListing
    /// When the directory last changed, as of the listing, in nanoseconds since the epoch.
    var modified: Int
    var byInode: [UInt64: [String]]?
  }

  private var kept: [String: Kept] = [:]
  private let capacity = 16

  /// The kernel's clock for time stamps goes in steps of up to 10 ms: a listing that is younger than that may miss a change
  /// that has the same stamp.
  private static let step = 20_000_000

  func listing(of directory: String) -> DirectoryListing {
    let modified = (try? FileStatus.of(path: directory))?.modified
    if let modified, let known = kept[directory], known.modified == modified { return known.listing }
    let now = Int(clamping: UInt64(clamping: SystemClock.now().microseconds)) &* 1000
    let listing = DirectoryListing(of: directory)
    if kept.count >= capacity { kept.removeAll() }
    if let modified, modified < now - Self.step {
      kept[directory] = Kept(listing: listing, modified: modified)
    } else {
      kept[directory] = nil
    }
    return listing
  }

  /// The names of an inode.
  func names(of inode: UInt64, in directory: String) -> [String] {
    let listing = listing(of: directory)
    guard kept[directory] != nil else { return listing.entries.filter { $0.inode == inode }.map(\.name) }
    if kept[directory]!.byInode == nil {
      kept[directory]!.byInode = Dictionary(grouping: listing.entries, by: \.inode).mapValues { $0.map(\.name) }
    }
    return kept[directory]!.byInode![inode] ?? []
  }

  func removeAll() { kept.removeAll() }
}
