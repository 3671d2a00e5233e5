import Dispatch
import LogSources
import Model
import Synchronization

/// Keeps what a reader delivers, and what it last stored.
final class RecordingSink: LineSink, Sendable {
  struct Record {
    var lines: [[UInt8]] = []
    /// What was lent at once, and what was said to follow it.
    var chunks: [(bytes: [UInt8], ahead: [UInt8]?)] = []
    /// What the run before has read and this one was lent again.
    var past: [[UInt8]] = []
    var sources: [SourceInfo] = []
    var positions: [String: Position] = [:]
    var events: [SourceEvent] = []
    var checkpoints = 0
    /// The number of lines at the last checkpoint: what came after it would come again.
    var indexed = 0
  }

  let record = Mutex(Record())
  /// The reader waits here after this line, once.
  let gate = DispatchSemaphore(value: 0)
  private let heldLine: String?

  init(holdingAt line: String? = nil) { heldLine = line }

  func begin(_ source: SourceInfo) { record.withLock { $0.sources.append(source) } }

  func consume(lines: borrowing Span<UInt8>, of origin: LineOrigin, from source: Int) {
    var all: [[UInt8]] = []
    var line: [UInt8] = []
    for i in 0..<lines.count {
      if lines[i] == 10 {
        all.append(line)
        line = []
      } else {
        line.append(lines[i])
      }
    }
    if !line.isEmpty { all.append(line) }
    // Safe: the pointer is used only inside the call.
    let bytes = unsafe lines.withUnsafeBufferPointer { unsafe Array($0) }
    record.withLock { $0.chunks.append((bytes, origin.ahead)) }
    if origin.isPast { return record.withLock { $0.past += all } }
    record.withLock { $0.lines += all }
    if let heldLine, all.contains(Array(heldLine.utf8)) { gate.wait() }
  }

  func consume(message: borrowing Span<UInt8>, of entry: JournalEntry, from source: Int) {
    var line: [UInt8] = []
    for i in 0..<message.count { line.append(message[i]) }
    record.withLock { if entry.isPast { $0.past.append(line) } else { $0.lines.append(line) } }
  }

  func checkpoint(_ positions: [SourcePosition]) {
    record.withLock { record in
      for position in positions { record.positions[position.source] = position.position }
      record.checkpoints += 1
      record.indexed = record.lines.count
    }
  }

  /// The seconds with which a line begins.
  func time(of line: borrowing Span<UInt8>, in source: Int) -> Instant? {
    var seconds: Int64?
    for at in 0..<line.count {
      guard (48...57).contains(line[at]) else { break }
      seconds = (seconds ?? 0) * 10 + Int64(line[at] - 48)
    }
    return seconds.map { Instant(seconds: $0) }
  }

  func report(_ event: SourceEvent) { record.withLock { $0.events.append(event) } }

  var pastTexts: [String] { record.withLock { $0.past.map { String(decoding: $0, as: UTF8.self) } } }

  var texts: [String] { record.withLock { $0.lines.map { String(decoding: $0, as: UTF8.self) } } }

  var positions: [SourcePosition] {
    record.withLock { $0.positions.map { SourcePosition(source: $0.key, position: $0.value) } }
  }

  var events: [SourceEvent] { record.withLock { $0.events } }
}
