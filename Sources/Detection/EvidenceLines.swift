internal import Model

/// The last lines of ids that are near the limit of a jail that only counts, until one of them is banned. One piece of memory
/// for all of them, in which the newest lines take the place of the oldest.
struct EvidenceLines {
  /// What is shown of a ban.
  static let most = 20
  private static let room = 4 << 20
  private static let mostLines = 16_384

  /// A failure with its line.
  struct Line: Sendable {
    var failure: Failure
    var text: [UInt8]

    func append(to batch: inout FailureBatch) {
      var failure = failure
      let start = failure.line.start
      failure.line = batch.store(text.span)
      failure.user.start = failure.user.isEmpty ? 0 : failure.line.start &+ (failure.user.start &- start)
      batch.append(failure)
    }
  }

  private struct Entry {
    var failure: Failure
    var id: Identity
    /// Where the line begins, of all bytes that were ever written.
    var at: Int
    var isTaken = false
  }

  private var bytes: [UInt8] = []
  private var written = 0
  private var entries: [Entry] = []
  private var next = 0

  /// Lines over 4 KiB are cut.
  mutating func add(_ failure: Failure, of id: Identity, _ line: borrowing Span<UInt8>) {
    if entries.isEmpty {
      bytes = Array(repeating: 0, count: Self.room)
      entries.reserveCapacity(Self.mostLines)
    }
    let count = min(line.count, 4096)
    // A line does not go round the end.
    if written % Self.room + count > Self.room { written += Self.room - written % Self.room }
    let start = written % Self.room
    for i in 0..<count { bytes[start + i] = line[i] }
    var failure = failure
    let (user, whole) = (failure.user, failure.line)
    // Of the other texts only what is in the line stays.
    let isInLine = user.start >= whole.start && user.start - whole.start + user.count <= UInt32(count)
    failure.user = isInLine ? ByteRange(start: user.start - whole.start, count: user.count) : .empty
    failure.line = ByteRange(start: 0, count: UInt32(count))
    failure.rule = .empty
    failure.app = .empty
    failure.cursor = .empty
    failure.name = .empty
    let entry = Entry(failure: failure, id: id, at: written)
    written += count
    if entries.count < Self.mostLines { entries.append(entry) } else { entries[next] = entry }
    next = (next + 1) % Self.mostLines
  }

  /// The last lines of an id in a jail, of the same part, oldest first.
  mutating func take(_ jail: UInt16, _ id: Identity, part: UInt64 = 0) -> [Line] {
    var found: [Line] = []
    for back in 1...max(1, entries.count) where found.count < Self.most && !entries.isEmpty {
      let index = (next - back + 2 * Self.mostLines) % Self.mostLines
      guard index < entries.count, written - entries[index].at <= Self.room else { break }
      let failure = entries[index].failure
      guard !entries[index].isTaken, failure.jail == jail, failure.part == part, entries[index].id == id else {
        continue
      }
      entries[index].isTaken = true
      let start = entries[index].at % Self.room
      found.append(Line(failure: failure, text: Array(bytes[start..<start + Int(failure.line.count)])))
    }
    return found.reversed()
  }
}
