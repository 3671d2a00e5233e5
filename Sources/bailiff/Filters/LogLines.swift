import Foundation
import Glibc
import System

/// Lines back to back, each with its LF, as the engine gets them: what follows a line can decide about it too.
struct LineBatch {
  private(set) var bytes: [UInt8] = []
  /// Where each line begins.
  private(set) var starts: [Int] = []

  var isFull: Bool { bytes.count >= 256 << 10 }

  mutating func append(_ line: borrowing Span<UInt8>, after prefix: [UInt8] = []) {
    starts.append(bytes.count)
    bytes += prefix
    // Safe: the pointer is used only inside the call; appending through it is one memcpy.
    unsafe line.withUnsafeBufferPointer { unsafe bytes.append(contentsOf: $0) }
    bytes.append(UInt8(ascii: "\n"))
  }

  mutating func removeAll() {
    bytes.removeAll(keepingCapacity: true)
    starts.removeAll(keepingCapacity: true)
  }
}

/// The lines of a log for the commands that look at single lines; `-` is standard input. Lines are cut where the daemon cuts
/// them. What `journalctl -o json` printed is shown as syslog would have it.
enum LogLines {
  static let longestLine = 64 << 10

  /// Throws when the log cannot be read; with `orJournal` a directory with a journal's files in it can.
  static func checkReadable(_ path: String, orJournal: Bool = false) throws {
    // Safe: open(2) and read(2) use the path and the byte during the call only.
    let file = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard file >= 0 else { throw unreadable(path) }
    defer { close(file) }
    var status = stat()
    guard unsafe fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else { return }
    guard orJournal, holdsJournal(path) else { throw unreadable(path, EISDIR) }
  }

  /// As sd_journal_open_directory(3) looks for them: in the directory, and in those of machines below it.
  private static func holdsJournal(_ directory: String) -> Bool {
    func hasFiles(_ path: String) -> Bool {
      ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).contains {
        $0.hasSuffix(".journal") || $0.hasSuffix(".journal~")
      }
    }
    let below = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
    return hasFiles(directory) || below.contains { hasFiles("\(directory)/\($0)") }
  }

  private static func unreadable(_ path: String, _ code: Int32 = errno) -> CommandFailure {
    CommandFailure(.usage, "\(path) cannot be read: \(SystemError.text(code)); check the path and who may read it")
  }

  /// Lends the lines in batches, with `prefix` before each. `hasTimes`: show the time of entries of the journal's?
  static func forEachBatch(
    in path: String, prefix: [UInt8] = [], hasTimes: Bool = true, _ body: (LineBatch) throws -> Void
  ) throws {
    var batch = LineBatch()
    try forEach(in: path, hasTimes) { line in
      batch.append(line, after: prefix)
      guard batch.isFull else { return }
      try body(batch)
      batch.removeAll()
    }
    if !batch.starts.isEmpty { try body(batch) }
  }

  /// Lends each line without its line end.
  private static func forEach(
    in path: String, _ hasTimes: Bool, _ body: (borrowing Span<UInt8>) throws -> Void
  ) throws {
    let file = path == "-" ? STDIN_FILENO : unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { throw unreadable(path) }
    defer { if file != STDIN_FILENO { close(file) } }
    var chunk = [UInt8](repeating: 0, count: 256 << 10)
    var line: [UInt8] = []
    var isPending = false

    func end() throws {
      if line.last == UInt8(ascii: "\r") { line.removeLast() }
      if line.first == UInt8(ascii: "{"), let entry = ExportedEntry(line) { line = entry.line(hasTime: hasTimes) }
      try body(line.span)
      line.removeAll(keepingCapacity: true)
      isPending = false
    }

    while true {
      // Safe: at most the array's size is read.
      let count = unsafe read(file, &chunk, chunk.count)
      if count < 0 {
        if errno == EINTR { continue }
        throw unreadable(path)
      }
      guard count > 0 else { break }
      var start = 0
      while start < count {
        let stop = chunk[start..<count].firstIndex(of: UInt8(ascii: "\n")) ?? count
        line.append(contentsOf: chunk[start..<min(stop, start + max(0, longestLine - line.count))])
        isPending = true
        if stop < count { try end() }
        start = stop + 1
      }
    }
    if isPending { try end() }
  }
}
