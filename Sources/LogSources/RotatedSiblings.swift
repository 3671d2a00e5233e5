internal import Glibc
import Model

/// What a log file was renamed to: `auth.log.1`, `auth.log-20261121`, `auth-20261121.log`, `auth.log.2.gz` …
public struct RotatedSibling: Hashable, Sendable {
  public var path: String
  public var isCompressed: Bool
  public var inode: UInt64
  public var size: UInt64
  /// Nanoseconds since the epoch when it was made (where the file system knows, else last written to), by which siblings
  /// are ordered: an older one may still be written to.
  public var birth: Int
  /// Nanoseconds since the epoch of the last write; compression keeps it.
  public var modified: Int

  /// Is it a later generation than `other`? Told by when they were made, or, where one was compressed and so made again, by
  /// when they were last written to.
  func isLater(than other: RotatedSibling) -> Bool {
    isCompressed || other.isCompressed
      ? (modified, rank) > (other.modified, other.rank) : (birth, rank) > (other.birth, other.rank)
  }

  /// Tells generations of the same tick of the clock apart: `.2` is older than `.1`, a later date is later.
  private var rank: Int {
    var digits = ""
    for character in RotatedSiblings.name(of: path).reversed() {
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

public enum RotatedSiblings {
  /// Those of `path`, oldest first, compressed ones too.
  public static func of(_ path: String) -> [RotatedSibling] {
    let directory = String(PathPattern.parent(of: path[...]))
    let base = name(of: path)
    return names(in: directory).filter { isSibling($0.name, of: base) }.compactMap { entry in
      at(join(directory, entry.name))
    }.sorted { $1.isLater(than: $0) }
  }

  /// The names in the directory of `path` that belong to it, and their inodes.
  static func snapshot(of path: String) -> [String: UInt64] {
    let base = name(of: path)
    let names = names(in: String(PathPattern.parent(of: path[...]))).filter {
      $0.name == base || isSibling($0.name, of: base)
    }
    return Dictionary(names.map { ($0.name, $0.inode) }) { first, _ in first }
  }

  static func at(_ path: String) -> RotatedSibling? {
    guard let status = try? FileStatus.of(path: path), status.isRegular else { return nil }
    return RotatedSibling(
      path: path, isCompressed: isCompressed(path), inode: status.inode, size: status.size,
      birth: FileStatus.birth(of: path), modified: status.modified)
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
    guard let dot = base.lastIndex(of: "."), dot != base.startIndex else { return false }
    let (stem, end) = (base[..<dot], base[dot...])
    guard name.hasPrefix(stem), name.hasSuffix(end), name.count > base.count else { return false }
    return isStamp(name.dropFirst(stem.count).dropLast(end.count))
  }

  private static func isStampByte(_ byte: UInt8) -> Bool {
    (48...57).contains(byte) || ".-_:T".utf8.contains(byte)
  }

  static let compressedSuffixes = [".gz", ".xz", ".zst", ".bz2", ".lz4", ".Z"]

  static func isCompressed(_ path: String) -> Bool { compressedSuffixes.contains { path.hasSuffix($0) } }

  static func name(of path: String) -> String {
    path.lastIndex(of: "/").map { String(path[path.index(after: $0)...]) } ?? path
  }

  static func join(_ directory: String, _ name: String) -> String {
    directory == "/" ? "/\(name)" : directory == "." ? name : "\(directory)/\(name)"
  }

  /// The path in the same directory that now leads to the file of `identity`, whatever it is called.
  static func find(_ identity: FileIdentity, besides path: String) -> String? {
    let directory = String(PathPattern.parent(of: path[...]))
    for entry in names(in: directory) where entry.inode == identity.inode {
      let full = join(directory, entry.name)
      if let status = try? FileStatus.of(path: full), status.isRegular, identity.isSameFile(as: status) { return full }
    }
    return nil
  }

  private static func names(in directory: String) -> [(name: String, inode: UInt64)] {
    // Safe: opendir(3) reads the path; the stream is closed below.
    guard let stream = unsafe opendir(directory) else { return [] }
    defer { unsafe _ = closedir(stream) }
    var result: [(name: String, inode: UInt64)] = []
    // Safe: readdir(3) returns an entry that is good until the next call; its name ends with NUL.
    while let entry = unsafe readdir(stream) {
      let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) {
        unsafe $0.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
      }
      result.append((name, UInt64(unsafe entry.pointee.d_ino)))
    }
    return result
  }
}
