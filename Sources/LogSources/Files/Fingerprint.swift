internal import Glibc
import Model
internal import System

/// A hash of a file's first bytes tells it from a later one that was given the same inode, or from itself after it was
/// emptied and rewritten.
enum Fingerprint {
  /// Log lines begin with their time, so the first few are unlike any other file's.
  static let length = 256
  /// Fewer bytes tell nothing without the inode: half a time stamp begins many files.
  static let enough = 16

  /// FNV-1a, 64 bits (http://www.isthe.com/chongo/tech/comp/fnv/). It need not withstand an attacker: who can choose the first bytes of a log and
  /// replace the file already owns the log.
  static func hash(_ bytes: borrowing Span<UInt8>) -> UInt64 {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for i in 0..<bytes.count {
      hash = (hash ^ UInt64(bytes[i])) &* 0x0000_0100_0000_01b3
    }
    return hash
  }

  /// The hashes of the first 0, 1, 2 … bytes.
  static func hashes(of head: [UInt8]) -> [UInt64] {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    return [hash]
      + head.map { byte in
        hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3
        return hash
      }
  }

  /// The first bytes of an open file, at most `length`.
  static func head(of descriptor: Int32) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: length)
    // Safe: pread(2) writes at most the buffer's own count.
    let count = unsafe bytes.withUnsafeMutableBytes { buffer in
      retrying { unsafe pread(descriptor, buffer.baseAddress, buffer.count, 0) }
    }
    bytes.removeLast(length - max(0, count))
    return bytes
  }

  static func identity(of status: FileStatus, head: [UInt8]) -> FileIdentity {
    FileIdentity(
      device: status.device, inode: status.inode, fingerprint: hash(head.span),
      fingerprintLength: UInt32(head.count))
  }

  /// Does a file that begins with `head` begin as the one of `identity` did?
  static func matches(_ identity: FileIdentity, head: [UInt8]) -> Bool {
    let length = Int(identity.fingerprintLength)
    guard head.count >= length else { return false }
    return hash(head.span.extracting(0..<length)) == identity.fingerprint
  }
}

extension FileIdentity {
  /// Stored for a source whose file was read to its end and let go: it says that the source is known, and that there is
  /// nothing to look for.
  static let none = FileIdentity(device: 0, inode: 0, fingerprint: 0, fingerprintLength: 0)

  func isSameFile(as status: FileStatus) -> Bool { device == status.device && inode == status.inode }
}
