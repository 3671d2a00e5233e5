internal import Glibc
public import Model
public import System

/// The ends of logs, for whoever asks what is in them without following them.
public enum LogTail {
  /// The regular files that a path, or a glob(7), names now.
  public static func files(_ pattern: String) -> [String] { PathPattern(pattern).existing }

  /// The last whole lines of a file, as many as lie in its last `bytes`, without their line ends.
  public static func lines(of path: String, bytes: Int = 64 << 10) throws(SystemError) -> [[UInt8]] {
    let file = try Descriptor.open(path, flags: O_RDONLY | O_NONBLOCK | O_NOCTTY)
    guard let size = FileStatus.of(descriptor: file.raw)?.size else { throw .last("read \(path)") }
    let start = size - min(size, UInt64(bytes))
    let buffer = LineBuffer(lineLimit: bytes)
    let count = buffer.read(file.raw, at: start, count: Int(size - start))
    guard count > 0, let last = buffer.lastNewline(in: 0..<count) else { return [] }
    let text = (0...last).map { buffer[$0] }
    // The first is cut where the file is longer.
    return text.split(separator: 0x0a).dropFirst(start > 0 ? 1 : 0).map { Array($0) }
  }

  /// When the journal received the last entry that `matches` fit (as in `SourceSpec`); nil: there is none.
  public static func lastEntry(matching matches: [String]) throws(SystemError) -> Instant? {
    let handle = try JournalHandle(directory: nil)
    try handle.add(JournalMatch(matches), hasDropNotices: false)
    guard try handle.seekToLast(), let time = handle.realtime() else { return nil }
    return Instant(microseconds: Int64(clamping: time))
  }
}
