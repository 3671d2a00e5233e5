internal import Glibc
internal import LogSources
public import Model
internal import Pipeline
internal import System

/// The lines of a log for whoever looks at single lines: files, compressed or not, standard input (`-`), and a journal's
/// directory, whose entries are shown as syslog would have them. What `journalctl -o json` printed is, too. Lines are cut where
/// the daemon cuts them.
///
/// ```swift
/// try LogLines.forEachBatch(in: "/var/log/auth.log.2.gz") { batch in … }
/// ```
public enum LogLines {
  /// - Throws: `RequestError` when the log cannot be read.
  public static func checkReadable(_ path: String) throws(RequestError) {
    do throws(SystemError) {
      let file = try Descriptor.open(path, flags: O_RDONLY | O_NONBLOCK)
      guard FileStatus.of(descriptor: file.raw)?.isDirectory == true else { return }
      guard holdsJournal(path) else { throw SystemError(code: EISDIR, operation: "read \(path)") }
    } catch {
      throw unreadable(path, error)
    }
  }

  /// As sd_journal_open_directory(3) looks for them: in the directory, and in those of machines below it.
  private static func holdsJournal(_ directory: String) -> Bool {
    func names(_ path: String) -> [String] { (try? Directory.names(path)) ?? [] }
    func hasFiles(_ path: String) -> Bool {
      names(path).contains { $0.hasSuffix(".journal") || $0.hasSuffix(".journal~") }
    }
    return hasFiles(directory) || names(directory).contains { hasFiles("\(directory)/\($0)") }
  }

  fileprivate static func unreadable(_ path: String, _ error: SystemError) -> RequestError {
    RequestError(
      .invalid, "\(path) cannot be read: \(SystemError.text(error.code))", remedy: "check the path and who may read it")
  }

  /// Lends the lines in batches, with `prefix` before each.
  /// - Parameters:
  ///   - journalmatch: which entries of a journal are wanted; their units are believed.
  ///   - units: which units' entries are believed besides, as in a filter's `journalmatch`.
  ///   - hasTimes: show the time of entries of the journal's?
  public static func forEachBatch(
    in path: String, journalmatch: [String] = [], units: [String] = [], prefix: [UInt8] = [], hasTimes: Bool = true,
    _ body: @escaping (LineBatch) throws -> Void
  ) throws {
    let collector = LineCollector(
      prefix: prefix, hasTimes: hasTimes, trusted: TrustedProgram(journalmatch: journalmatch + units), body)
    do {
      if PastJournal.isDirectory(path) {
        try checkReadable(path)
        let journal = PastJournal(matches: journalmatch, directory: path)
        _ = try journal.read(as: 0, to: collector, while: { collector.error == nil })
      } else {
        _ = try PastLog(path).read(as: 0, to: collector, while: { collector.error == nil })
      }
    } catch let error as SystemError {
      throw unreadable(path == "-" ? "standard input" : path, error)
    }
    collector.finish()
    if let error = collector.error { throw error }
  }
}

/// Collects lines until a batch is full.
private final class LineCollector: LineSink {
  private let prefix: [UInt8]
  private let hasTimes: Bool
  private let trusted: TrustedProgram
  private let body: (LineBatch) throws -> Void
  private var batch = LineBatch()
  private(set) var error: (any Error)?

  init(prefix: [UInt8], hasTimes: Bool, trusted: TrustedProgram, _ body: @escaping (LineBatch) throws -> Void) {
    self.prefix = prefix
    self.hasTimes = hasTimes
    self.trusted = trusted
    self.body = body
  }

  func begin(_ source: SourceInfo) {}
  func checkpoint(_ positions: [SourcePosition]) {}
  func report(_ event: SourceEvent) {}

  func consume(lines: borrowing Span<UInt8>, of origin: LineOrigin, from source: Int) {
    var start = 0
    while start < lines.count {
      var end = start
      while end < lines.count, lines[end] != UInt8(ascii: "\n") { end += 1 }
      let next = end + 1
      if end > start, lines[end - 1] == UInt8(ascii: "\r") { end -= 1 }
      add(lines.extracting(start..<end))
      start = next
    }
  }

  func consume(message: borrowing Span<UInt8>, of entry: JournalEntry, from source: Int) {
    var line: [UInt8] = hasTimes ? Array((entry.time.rfc3339() + " ").utf8) : []
    trusted.header(of: entry, into: &line)
    for i in message.indices { line.append(message[i] == UInt8(ascii: "\n") ? UInt8(ascii: " ") : message[i]) }
    add(line.span)
  }

  func finish() {
    if !batch.starts.isEmpty, error == nil { deliver() }
  }

  private func add(_ line: borrowing Span<UInt8>) {
    guard error == nil else { return }
    if line.count > 0, line[0] == UInt8(ascii: "{"), let entry = ExportedEntry(line) {
      batch.append(entry.line(hasTime: hasTimes).span, after: prefix)
    } else {
      batch.append(line, after: prefix)
    }
    if batch.isFull { deliver() }
  }

  private func deliver() {
    do { try body(batch) } catch { self.error = error }
    batch.removeAll()
  }
}
