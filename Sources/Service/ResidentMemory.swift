internal import Glibc
internal import System

/// What the start alone needed of the program and its libraries: the code that reads settings, compiles patterns and opens
/// the store, some 30 MB of file pages that would stay in the process permanently.
enum ResidentMemory {
  /// Takes the pages of mappings that nothing was ever written to out of this process. They stay in the page cache, and what
  /// is used again comes back with a minor fault.
  static func giveBackFilePages() {
    guard let text = SmallFile.text("/proc/self/smaps", limit: 8 << 20) else { return }
    for range in unwritten(text) {
      // Safe: a private mapping of a file, not writable and without a page of its own, holds what the file holds, so that
      // dropping its pages changes nothing (madvise(2), MADV_DONTNEED).
      guard let start = unsafe UnsafeMutableRawPointer(bitPattern: range.lowerBound) else { continue }
      unsafe madvise(start, range.count, MADV_DONTNEED)
    }
  }

  /// The read-only mappings of files, of proc_pid_smaps(5), that have no anonymous pages. Those that were relocated and then
  /// made read-only have some, and must keep them.
  static func unwritten(_ smaps: String) -> [Range<UInt>] {
    var found: [Range<UInt>] = []
    var current: Range<UInt>?
    for line in smaps.split(separator: "\n") {
      let words = line.split(separator: " ", omittingEmptySubsequences: true)
      guard let first = words.first else { continue }
      if first == "Anonymous:" {
        if words.count > 1, words[1] == "0", let range = current { found.append(range) }
        current = nil
      } else if !first.hasSuffix(":") {
        current = fileMapping(words)
      }
    }
    return found
  }

  /// `55d0c0000000-55d0c1000000 r-xp 00001000 fe:00 4711 /usr/bin/bailiff`
  private static func fileMapping(_ words: [Substring]) -> Range<UInt>? {
    guard words.count >= 6, words[1] == "r--p" || words[1] == "r-xp", words[4] != "0", words[5].hasPrefix("/") else {
      return nil
    }
    let ends = words[0].split(separator: "-").map { UInt($0, radix: 16) }
    guard ends.count == 2, let start = ends[0], let end = ends[1], start < end else { return nil }
    return start..<end
  }
}
