internal import System

/// A file that was emptied or replaced, and may be its old content written again: programs that keep only their last lines
/// do that with every line, and so does `sed -i`. Lines that were read before are not read again.
struct PendingRewrite {
  /// What was read of the file before; see `RecentLines`.
  var before: [UInt64]
  /// How far it was read.
  var offset: UInt64
  /// Bytes that are known to be gone if it was not rewritten.
  var unread: UInt64
  /// It is decided when it has not been written to for `quiet`, or at the deadline (monotonic seconds).
  var quietSince: Double
  let deadline: Double

  /// Who writes a file again does it with a few calls in a row.
  static let quiet = 0.1
  static let patience = 2.0

  /// When it can be decided at the earliest, if nothing happens.
  func nextLook(isEmpty: Bool) -> Double { isEmpty ? deadline : min(deadline, quietSince + Self.quiet) }
}

enum Rewriting {
  /// Larger parts of a file are not compared.
  private static let most: UInt64 = 4 << 20

  /// How many bytes of `new`, from its beginning, are lines that were read before: of `old`, a file that it replaced. 0 when
  /// it is a new log.
  static func known(in new: FollowedFile, replacing old: FollowedFile, _ buffer: LineBuffer) -> UInt64 {
    // A rotation renames the old file and begins an empty one.
    guard new.size > 0, old.offset > 0, old.links == 0 || new.size >= old.offset / 2 else { return 0 }
    let before = lines(of: old, upTo: old.offset, buffer)
    return known(in: new, after: before.hashes, buffer)
  }

  /// The same for a file whose old content is gone but for the hashes of its last lines.
  static func known(in file: FollowedFile, after before: [UInt64], _ buffer: LineBuffer) -> UInt64 {
    let now = lines(of: file, upTo: file.size, buffer)
    let count = overlap(old: before, new: now.hashes)
    return count == 0 ? 0 : now.starts[count]
  }

  /// Could the content of `file` be what was read before: does it begin with a line of then, or is it about as long?
  static func isSuspected(_ file: FollowedFile, _ pending: PendingRewrite, _ buffer: LineBuffer) -> Bool {
    guard !pending.before.isEmpty, file.size > 0 else { return false }
    if file.size >= pending.offset / 2 { return true }
    let count = buffer.read(file.descriptor.raw, at: 0, count: LineLimit.bytes)
    guard count > 0, let end = buffer.firstNewline(in: 0..<count) else { return true }
    return pending.before.contains(buffer.lend(0..<end) { RecentLines.hash($0) })
  }

  /// The whole lines before `end`, as hashes, and where each begins, with the end of the last; of a large file the last ones.
  private static func lines(
    of file: FollowedFile, upTo end: UInt64, _ buffer: LineBuffer
  ) -> (hashes: [UInt64], starts: [UInt64]) {
    var hashes: [UInt64] = []
    var at = end > most ? end - most : 0
    var starts = [at]
    while at < end {
      let count = buffer.read(file.descriptor.raw, at: at, count: Int(min(UInt64(LineBuffer.chunk), end - at)))
      guard count > 0, let last = buffer.lastNewline(in: 0..<count) else { break }
      var line = 0
      while line <= last, let newline = buffer.firstNewline(in: line..<last + 1) {
        hashes.append(buffer.lend(line..<newline) { RecentLines.hash($0) })
        line = newline + 1
        starts.append(at + UInt64(line))
      }
      at += UInt64(last + 1)
    }
    return (hashes, starts)
  }

  /// How many lines of `new`, from its beginning, are those of `old` up to its last, some left out: the most for which that
  /// holds.
  static func overlap(old: [UInt64], new: [UInt64]) -> Int {
    guard let last = old.last else { return 0 }
    var tries = 0
    for end in new.indices.reversed() where new[end] == last {
      var (i, j) = (end, old.count - 1)
      while i >= 0, j >= 0 {
        if new[i] == old[j] { i -= 1 }
        j -= 1
      }
      // Of a longer past only the last lines are known: so many are enough.
      if i < 0 || end - i >= RecentLines.most { return end + 1 }
      tries += 1
      if tries == 64 { break }
    }
    return 0
  }
}
