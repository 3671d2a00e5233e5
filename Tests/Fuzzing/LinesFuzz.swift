import Foundation
import Model

@testable import LogSources

/// Every byte of a line is delivered once, in its place, whole or cut at the limit: by files that are followed and by
/// streams.
enum LinesFuzz {
  private static let file: ScratchFile = {
    // Safe: unlink(2) reads the path during the call.
    atexit { unsafe unlink(LinesFuzz.file.path) }
    return ScratchFile(
      NSTemporaryDirectory() + "bailiff-fuzz-lines-\(ProcessInfo.processInfo.processIdentifier)")
  }()
  private static var path: String { file.path }

  static func run(_ input: [UInt8]) {
    // Lines around the limit would be rare among inputs as small as fuzzers like them: two bytes repeat the one before.
    var text: [UInt8] = []
    for byte in input where text.count < 384 << 10 {
      if byte >= 0xFE, let last = text.last {
        text += [UInt8](repeating: last, count: byte == 0xFF ? LineLimit.bytes - 1 : 1 << 14)
      } else {
        text.append(byte)
      }
    }
    let expected = split(text)
    file.replace(with: text)
    stream(expected, text)
    follow(expected, text)
  }

  private struct Line: Equatable {
    var offset: UInt64
    /// Without its LF; cut at the limit.
    var bytes: ArraySlice<UInt8>
    var isWhole: Bool
    var isCut = false
  }

  /// What the lines are, worked out the simple way.
  private static func split(_ text: [UInt8]) -> [Line] {
    var lines: [Line] = []
    var start = 0
    while start < text.count {
      let end = text[start...].firstIndex(of: 10) ?? text.count
      lines.append(
        Line(
          offset: UInt64(start), bytes: text[start..<min(end, start + LineLimit.bytes)], isWhole: end < text.count,
          isCut: end - start > LineLimit.bytes))
      start = end + 1
    }
    return lines
  }

  private final class Collector: LineSink {
    var lines: [Line] = []

    func begin(_ source: SourceInfo) {}
    func consume(message: borrowing Span<UInt8>, of entry: JournalEntry, from source: Int) {}
    func checkpoint(_ positions: [SourcePosition]) {}
    func report(_ event: SourceEvent) {}

    func consume(lines: borrowing Span<UInt8>, of origin: LineOrigin, from source: Int) {
      require(lines.count > 0, "nothing was lent")
      // Safe: the pointer is used only inside the closure.
      let copy = unsafe lines.withUnsafeBufferPointer { unsafe Array($0) }
      var start = 0
      while start < copy.count {
        guard let end = copy[start...].firstIndex(of: 10) else { fatalError("a line lacks its end") }
        self.lines.append(Line(offset: origin.offset(of: start), bytes: copy[start..<end], isWhole: true))
        start = end + 1
      }
    }
  }

  private static func compare(_ found: [Line], _ expected: [Line], _ counters: SourceCounters, _ how: String) {
    require(found.count == expected.count, "\(how): \(found.count) lines, not \(expected.count)")
    for (a, b) in zip(found, expected) {
      require(a.offset == b.offset, "\(how): a line stands at \(a.offset), not \(b.offset)")
      require(a.bytes == b.bytes, "\(how): another line at \(b.offset)")
    }
    require(counters.lines == UInt64(expected.count), "\(how): \(counters.lines) lines are counted")
  }

  /// A stream's last line may lack its end.
  private static func stream(_ expected: [Line], _ text: [UInt8]) {
    // Safe: open(2) reads the path during the call.
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return }
    defer { close(descriptor) }
    let sink = Collector()
    let reader = StreamReader(descriptor, name: "fuzz", LineBuffer())
    let outlet = LineOutlet(0, to: sink)
    while (try? reader.read(to: outlet)) == true {}
    compare(sink.lines, expected, outlet.counters, "stream")
  }

  /// Of a file that is followed, a line without an end waits for it.
  private static func follow(_ expected: [Line], _ text: [UInt8]) {
    // NUL bytes at the start are a hole that a truncation left.
    guard text.first != 0, let file = try? FollowedFile(path: path) else { return }
    let sink = Collector()
    let buffer = LineBuffer()
    let outlet = LineOutlet(0, to: sink)
    reading: while true {
      switch file.read(buffer, to: outlet) {
      case .more: continue
      case .atEnd: break reading
      case .truncated: fatalError("taken for truncated")
      case .failed(let code): fatalError("cannot be read: \(code)")
      }
    }
    // Of a line over the limit the head is delivered before its end is there.
    let whole = expected.filter { $0.isWhole || $0.isCut }
    compare(sink.lines, whole, outlet.counters, "file")
    let end = expected.last.map { $0.isWhole || $0.isCut ? UInt64(text.count) : $0.offset } ?? 0
    require(file.offset == end, "the next line is at \(file.offset), not \(end)")
  }
}
