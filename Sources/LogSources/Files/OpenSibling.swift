internal import Glibc
internal import System

/// A rotated sibling that is open: whatever a rotation renames from now on, this stays the generation that was looked at.
struct OpenSibling {
  let sibling: RotatedSibling
  let log: PastLog
  /// Its first bytes, decompressed.
  let head: [UInt8]

  /// All siblings of `path`, the oldest generation first. When a rotation is under way, waits until names stay, at most
  /// half a second.
  static func all(
    of path: String, _ listings: DirectoryListings, where isWanted: (RotatedSibling) -> Bool = { _ in true }
  ) -> [OpenSibling] {
    var result: [OpenSibling] = []
    for _ in 0..<100 {
      let before = RotatedName.snapshot(of: path, listings)
      result = open(path, listings, where: isWanted)
      if RotatedName.snapshot(of: path, listings) == before { break }
      usleep(5000)
    }
    return result.sorted { $1.sibling.isLater(than: $0.sibling) }
  }

  private static func open(
    _ path: String, _ listings: DirectoryListings, where isWanted: (RotatedSibling) -> Bool
  ) -> [OpenSibling] {
    let siblings = RotatedSibling.all(of: path, listings)
    let names = Set(siblings.map(\.path))
    return siblings.compactMap { sibling in
      // While a compressed file and its original are both there, the compressed one is not finished.
      if sibling.isCompressed, let dot = sibling.path.lastIndex(of: "."), names.contains(String(sibling.path[..<dot])) {
        return nil
      }
      guard isWanted(sibling) else { return nil }
      guard let log = try? PastLog(sibling.path), FileStatus.of(descriptor: log.descriptor.raw)?.inode == sibling.inode,
        let head = try? log.decompressedHead(), !(head.isEmpty && sibling.isCompressed)
      else { return nil }
      return OpenSibling(sibling: sibling, log: log, head: head)
    }
  }

  /// To be read in its turn; nil for a compressed one.
  func follow(from offset: UInt64 = 0) -> FollowedFile? {
    guard !sibling.isCompressed else { return nil }
    return try? FollowedFile(
      path: "/proc/self/fd/\(log.descriptor.raw)", name: sibling.path, offset: offset, isCopy: true)
  }
}
