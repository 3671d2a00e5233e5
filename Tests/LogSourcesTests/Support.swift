import Foundation
import LogSources
import Model
import System
import Testing

/// A directory that is gone when the test is.
final class TemporaryDirectory: Sendable {
  let path: String

  init() {
    path = NSTemporaryDirectory() + "bailiff-" + UUID().uuidString
    // A test that cannot make its directory fails at its first file.
    try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func callAsFunction(_ name: String) -> String { path + "/" + name }

  func write(_ text: String, to name: String) throws {
    try Data(text.utf8).write(to: URL(fileURLWithPath: self(name)))
  }

  func append(_ text: String, to name: String) throws { try append(Data(text.utf8), to: name) }

  func append(_ bytes: Data, to name: String) throws {
    let file = try LogWriter(self(name))
    try file.write(bytes)
  }

  /// Empties the file and writes it again, so quickly that nobody sees it empty.
  func overwrite(_ text: String, in name: String) throws {
    let file = try FileHandle(forUpdating: URL(fileURLWithPath: self(name)))
    try file.truncate(atOffset: 0)
    try file.write(contentsOf: Data(text.utf8))
    try file.close()
  }

  func rename(_ from: String, _ to: String) throws {
    // Safe: rename(2) reads the paths during the call.
    guard unsafe Foundation.rename(self(from), self(to)) == 0 else {
      throw SystemError(code: errno, operation: "rename \(from)")
    }
  }
}

/// A daemon's open log file.
final class LogWriter {
  private let descriptor: Int32

  init(_ path: String) throws {
    // Safe: open(2) reads the path during the call.
    descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw SystemError(code: errno, operation: "open \(path)") }
  }

  deinit { close(descriptor) }

  func write(_ bytes: Data) throws {
    // Safe: write(2) reads the bytes during the call.
    let count = unsafe bytes.withUnsafeBytes { unsafe Foundation.write(descriptor, $0.baseAddress, $0.count) }
    guard count == bytes.count else { throw SystemError(code: errno, operation: "write") }
  }

  func write(_ text: String) throws { try write(Data(text.utf8)) }
}

/// A reader on a thread of its own; stops when it goes.
final class RunningReader {
  let reader: LogReader
  let sink: RecordingSink
  private let done = DispatchSemaphore(value: 0)

  init(_ specs: [SourceSpec], positions: [SourcePosition] = [], sink: RecordingSink = RecordingSink()) throws {
    reader = try LogReader(sources: specs, positions: positions)
    self.sink = sink
    let (reader, done) = (reader, done)
    Thread.detachNewThread {
      do { try reader.run(sink) } catch { Issue.record("the reader could not run: \(error)") }
      done.signal()
    }
  }

  func stop() {
    reader.stop()
    #expect(done.wait(timeout: .now() + 20) == .success, "the reader did not stop")
    done.signal()
  }

  deinit { stop() }

  /// Waits until `condition` holds; fails after `seconds`.
  func wait(
    _ what: String, seconds: Double = 60, sourceLocation: SourceLocation = #_sourceLocation,
    until condition: () -> Bool
  ) {
    let end = Date() + seconds
    while !condition() {
      if Date() > end {
        Issue.record("not within \(seconds) s: \(what); events: \(sink.events)", sourceLocation: sourceLocation)
        return
      }
      usleep(500)
    }
  }

  func wait(forLines lines: [String], sourceLocation: SourceLocation = #_sourceLocation) {
    wait("\(lines.count) lines", sourceLocation: sourceLocation) { sink.texts.count >= lines.count }
    let texts = sink.texts
    #expect(texts == lines, sourceLocation: sourceLocation)
  }

  /// Until every wanted file is open.
  func waitUntilReading(_ count: Int = 1, sourceLocation: SourceLocation = #_sourceLocation) {
    wait("\(count) sources read", sourceLocation: sourceLocation) {
      reader.status().count { $0.state == .reading } >= count
    }
  }
}
