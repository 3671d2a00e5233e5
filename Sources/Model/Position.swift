/// Which file, whatever it is called now: device, inode, and a fingerprint of its first bytes, since inodes are used again.
public struct FileIdentity: Hashable, Sendable {
  public var device: UInt64
  public var inode: UInt64
  /// A hash of the first `fingerprintLength` bytes.
  public var fingerprint: UInt64
  /// How many bytes the fingerprint covers: fewer than 256 while the file is still shorter than that.
  public var fingerprintLength: UInt32

  public init(device: UInt64, inode: UInt64, fingerprint: UInt64, fingerprintLength: UInt32) {
    self.device = device
    self.inode = inode
    self.fingerprint = fingerprint
    self.fingerprintLength = fingerprintLength
  }
}

/// How far a source has been read.
public enum Position: Hashable, Sendable {
  /// The offset of the first byte that has not been dealt with.
  case file(FileIdentity, offset: UInt64)
  /// The cursor of the last entry that has been dealt with, as `sd_journal_get_cursor` gave it.
  case journal(cursor: String)
}

/// A source's name as settings and audit give it (a path, or `journal` with its matches), and how far it is read.
public struct SourcePosition: Hashable, Sendable {
  public var source: String
  public var position: Position

  public init(source: String, position: Position) {
    self.source = source
    self.position = position
  }
}
