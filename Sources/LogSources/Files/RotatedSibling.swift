import Model
internal import System

/// What a log file was renamed or copied to: `auth.log.1`, `auth.log-20261121`, `auth-20261121.log`, `auth.log.2.gz` …
struct RotatedSibling: Hashable, Sendable {
  var path: String
  var isCompressed: Bool
  var inode: UInt64
  var size: UInt64
  /// Nanoseconds since the epoch when it was made (where the file system knows, else last written to), by which siblings
  /// are ordered: an older one may still be written to.
  var birth: Int
  /// Nanoseconds since the epoch of the last write; compression keeps it.
  var modified: Int

  /// What stands at `path`; nil when that is no file.
  init?(at path: String) {
    guard let status = try? FileStatus.of(path: path), status.isRegular else { return nil }
    self.path = path
    isCompressed = RotatedName.isCompressed(path)
    inode = status.inode
    size = status.size
    birth = FileStatus.birth(of: path)
    modified = status.modified
  }

  /// Those of `path`, oldest first, compressed ones too.
  static func all(of path: String) -> [RotatedSibling] { all(of: path, DirectoryListings()) }

  static func all(of path: String, _ listings: DirectoryListings) -> [RotatedSibling] {
    let directory = PathName.directory(of: path)
    return RotatedName.siblings(of: path, listings).compactMap { RotatedSibling(at: PathName.join(directory, $0.name)) }
      .sorted { $1.isLater(than: $0) }
  }

  /// Is it a later generation than `other`? Told by when they were made, or, where one was compressed and so made again, by
  /// when they were last written to.
  func isLater(than other: RotatedSibling) -> Bool {
    isCompressed || other.isCompressed
      ? (modified, rank) > (other.modified, other.rank) : (birth, rank) > (other.birth, other.rank)
  }

  /// Tells generations of the same tick of the clock apart: `.2` is older than `.1`, a later date is later.
  private var rank: Int {
    var digits = ""
    for character in PathName.last(of: path).reversed() {
      if character.isASCII, character.isNumber {
        digits.insert(character, at: digits.startIndex)
      } else if !digits.isEmpty {
        break
      }
    }
    let number = Int(digits.suffix(15)) ?? 0
    return digits.count <= 4 ? -number : number
  }
}

/// The names that rotations give.
enum RotatedName {
  /// The names in the directory of `path` that a rotation makes of its own.
  static func siblings(of path: String, _ listings: DirectoryListings) -> [DirectoryListing.Entry] {
    let base = PathName.last(of: path)
    return names(of: path, listings).filter { isSibling($0.name, of: base) }
  }

  /// The names in the directory of `path` that belong to it, its own too, and their inodes.
  static func snapshot(of path: String, _ listings: DirectoryListings) -> [DirectoryListing.Entry] {
    let base = PathName.last(of: path)
    return names(of: path, listings).filter { $0.name == base || isSibling($0.name, of: base) }
  }

  /// A sibling begins with the name, or with what precedes its extension.
  private static func names(of path: String, _ listings: DirectoryListings) -> ArraySlice<DirectoryListing.Entry> {
    listings.listing(of: PathName.directory(of: path)).entries(from: stem(of: PathName.last(of: path)))
  }

  private static func stem(of base: String) -> Substring {
    guard let dot = base.lastIndex(of: "."), dot != base.startIndex else { return base[...] }
    return base[..<dot]
  }

  /// Is `name` what a rotation makes of `base`? A suffix of digits and separators after the whole name or before its
  /// extension, then perhaps `.gz` and the like; also logrotate's `.old`.
  static func isSibling(_ name: String, of base: String) -> Bool {
    var name = name[...]
    if let end = compressedSuffixes.first(where: { name.hasSuffix($0) }) { name = name.dropLast(end.count) }
    guard name != base else { return name.count < name.base.count }
    func isStamp(_ text: Substring) -> Bool {
      text == ".old"
        || (text.contains { $0.isNumber } && text.utf8.allSatisfy { isStampByte($0) } && ".-_".contains(text.first!))
    }
    if name.hasPrefix(base) { return isStamp(name.dropFirst(base.count)) }
    let stem = stem(of: base)
    let end = base[stem.endIndex...]
    guard !end.isEmpty, name.hasPrefix(stem), name.hasSuffix(end), name.count > base.count else { return false }
    return isStamp(name.dropFirst(stem.count).dropLast(end.count))
  }

  private static func isStampByte(_ byte: UInt8) -> Bool {
    (48...57).contains(byte) || ".-_:T".utf8.contains(byte)
  }

  private static let compressedSuffixes = [".gz", ".xz", ".zst", ".bz2", ".lz4", ".Z"]

  static func isCompressed(_ path: String) -> Bool { compressedSuffixes.contains { path.hasSuffix($0) } }
}

/// Paths taken apart and put together, as text.
enum PathName {
  static func directory(of path: String) -> String { String(directory(of: path[...])) }

  static func directory(of path: Substring) -> Substring {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : path[..<slash]
  }

  static func last(of path: String) -> String {
    path.lastIndex(of: "/").map { String(path[path.index(after: $0)...]) } ?? path
  }

  static func join(_ directory: String, _ name: String) -> String {
    directory == "/" ? "/\(name)" : directory == "." ? name : "\(directory)/\(name)"
  }
}
