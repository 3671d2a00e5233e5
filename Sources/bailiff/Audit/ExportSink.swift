import Foundation
import System

/// Standard output, a file, or a compressor that writes a file. A file gets its name when it is whole: an export that fails
/// leaves an earlier one as it was.
final class ExportSink {
  private let path: String?
  /// Where the rows are put meanwhile; nil for standard output, and for a device or a pipe, which has no other name.
  private let partial: String?
  /// The file, or standard output.
  private let file: Int32
  private let compressor: (program: String, process: Process, pipe: FileHandle)?

  init(_ path: String?) throws {
    self.path = path == "-" ? nil : path
    guard let path = self.path else {
      (partial, file, compressor) = (nil, STDOUT_FILENO, nil)
      return
    }
    let type = try? FileManager.default.attributesOfItem(atPath: path)[.type] as? FileAttributeType
    partial = type == nil || type == .typeRegular ? path + ".partial" : nil
    // Safe: open(2) reads the path during the call.
    file = unsafe open(partial ?? path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    guard file >= 0 else {
      throw CommandFailure(.rejected, "\(partial ?? path): cannot be written: \(SystemError.text(errno))")
    }
    let programs = [".gz": "gzip", ".zst": "zstd", ".xz": "xz"]
    guard let program = programs.first(where: { path.hasSuffix($0.key) })?.value else {
      compressor = nil
      return
    }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [program, "-c"]
    let pipe = Pipe()
    process.standardInput = pipe
    process.standardOutput = FileHandle(fileDescriptor: file)
    try process.run()
    compressor = (program, process, pipe.fileHandleForWriting)
  }

  func write(_ text: String) throws {
    guard let code = writeAll(Array(text.utf8), to: compressor?.pipe.fileDescriptor ?? file) else { return }
    if let compressor, code == EPIPE { throw Self.failed(compressor.program) }
    // The reader has had enough (`bailiff audit export | head`).
    if path == nil, code == EPIPE { exit(ExitStatus.done.rawValue) }
    throw failure(code)
  }

  /// Everything is on the disk when this returns, under its name.
  func close() throws {
    guard let path else { return }
    if let compressor {
      try? compressor.pipe.close()
      compressor.process.waitUntilExit()
      guard compressor.process.terminationStatus == 0 else { throw Self.failed(compressor.program) }
    }
    guard let partial else { return }
    // Safe: rename(2) and unlink(2) read the paths during the call.
    guard fsync(file) == 0, unsafe rename(partial, path) == 0 else { throw failure(errno) }
  }

  /// After an error: nothing half done stays.
  func discard() {
    if let partial { _ = unsafe unlink(partial) }
  }

  private func failure(_ code: Int32) -> CommandFailure {
    CommandFailure(.rejected, "\(path ?? "standard output"): cannot be written: \(SystemError.text(code))")
  }

  private static func failed(_ program: String) -> CommandFailure {
    CommandFailure(
      .rejected, "\(program) failed: is it installed, and is there room? Another ending, or none, needs no \(program)")
  }
}
