import Glibc
import System

/// Standard output, a file, or a compressor that writes a file. A file gets its name when it is whole: an export that fails
/// leaves an earlier one as it was.
final class ExportSink {
  /// Nil: standard output.
  private let path: String?
  /// Where the rows are put meanwhile; nil for standard output, and for a device or a pipe, which has no other name.
  private let partial: String?
  private let file: Descriptor
  private let compressor: String?
  private var child: RunningProgram?
  /// The compressor's input.
  private var input = Descriptor(-1)

  init(_ path: String?) throws {
    self.path = path == "-" ? nil : path
    guard let path = self.path else {
      (partial, compressor) = (nil, nil)
      file = Descriptor(dup(STDOUT_FILENO))
      return
    }
    partial = (try? FileStatus.of(path: path))?.isRegular ?? true ? path + ".partial" : nil
    do {
      file = try Descriptor.open(partial ?? path, flags: O_WRONLY | O_CREAT | O_TRUNC, mode: 0o600)
    } catch {
      throw CommandFailure(.rejected, "\(partial ?? path): cannot be written: \(SystemError.text(error.code))")
    }
    let programs = [".gz": "gzip", ".zst": "zstd", ".xz": "xz"]
    compressor = programs.first { path.hasSuffix($0.key) }?.value
    guard let compressor else { return }
    guard let program = Program.find(compressor) else { throw Self.failed(compressor) }
    do {
      var ends = try PipeEnds()
      child = try Program(path: program, arguments: ["-c"]).start(
        input: ends.reading.raw, output: file.raw, errors: STDERR_FILENO)
      swap(&input, &ends.writing)
    } catch {
      throw Self.failed(compressor)
    }
  }

  func write(_ bytes: [UInt8]) throws {
    guard let code = writeAll(bytes, to: input.isOpen ? input.raw : file.raw) else { return }
    if let compressor, code == EPIPE { throw Self.failed(compressor) }
    // The reader has had enough (`bailiff audit export | head`).
    if path == nil, code == EPIPE { exit(ExitStatus.done.rawValue) }
    throw failure(code)
  }

  /// Everything is on the disk when this returns, under its name.
  func close() throws {
    guard let path else { return }
    input.close()
    if let compressor, child?.wait() != 0 { throw Self.failed(compressor) }
    guard let partial else { return }
    // Safe: rename(2) reads the paths during the call.
    guard fsync(file.raw) == 0, unsafe rename(partial, path) == 0 else { throw failure(errno) }
  }

  /// After an error: nothing half done stays.
  func discard() {
    // Safe: unlink(2) reads the path during the call.
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
