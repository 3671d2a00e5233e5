internal import Glibc
internal import System

/// How a file is compressed, told by its first bytes.
enum Compression {
  case gzip, xz, zstd, bzip2

  init?(head: [UInt8]) {
    if head.starts(with: [0x1F, 0x8B]) {
      self = .gzip
    } else if head.starts(with: [0xFD, 0x37, 0x7A, 0x58, 0x5A, 0x00]) {
      self = .xz
    } else if head.starts(with: [0x28, 0xB5, 0x2F, 0xFD]) {
      self = .zstd
    } else if head.starts(with: [0x42, 0x5A, 0x68]), head.count > 3, (0x31...0x39).contains(head[3]) {
      self = .bzip2
    } else {
      return nil
    }
  }

  /// The program, which reads standard input and writes standard output; and Debian's package of it.
  var program: (name: String, package: String) {
    switch self {
    case .gzip: ("gzip", "gzip")
    case .xz: ("xz", "xz-utils")
    case .zstd: ("zstd", "zstd")
    case .bzip2: ("bzip2", "bzip2")
    }
  }
}

/// A child process that decompresses an open file into a pipe. Killed and waited for when it goes.
final class Decompressor {
  private let compression: Compression
  private let name: String
  private var pipe: PipeEnds
  /// What the program complains of; a file in memory, because a pipe that nobody reads would stop it.
  private let complaints: Descriptor
  private var child: RunningProgram

  /// Seconds without any output after which the program is given up.
  private static let deadline: Int32 = 60

  var output: Int32 { pipe.reading.raw }

  init(_ compression: Compression, of file: Int32, name: String) throws(SystemError) {
    self.compression = compression
    self.name = name
    pipe = try PipeEnds()
    complaints = try Descriptor.memoryFile("complaints")
    // The program reads from the file's start, whatever was read before.
    lseek(file, 0, SEEK_SET)
    let program = compression.program
    guard let path = Program.find(program.name) else {
      throw SystemError(
        code: ENOENT, operation: "run \(program.name) to read \(name) (install the package \(program.package))")
    }
    child = try Program(path: path, arguments: ["-dc"]).start(
      input: file, output: pipe.writing.raw, errors: complaints.raw)
    pipe.writing.close()
  }

  /// Waits until there is something to read, or the end.
  func waitForOutput() throws(SystemError) {
    var wanted = pollfd(fd: output, events: Int16(POLLIN), revents: 0)
    // Safe: poll(2) reads and writes the one struct.
    if retrying({ unsafe poll(&wanted, 1, Self.deadline * 1000) }) == 0 {
      throw SystemError(code: ETIMEDOUT, operation: "read \(name) through \(compression.program.name)")
    }
  }

  /// The output has ended: was that the file's end?
  func finish() throws(SystemError) {
    guard child.wait() != 0 else { return }
    var text = Fingerprint.head(of: complaints.raw)
    text.removeAll { $0 < 32 || $0 > 126 }
    throw SystemError(
      code: EIO,
      operation: "read \(name): \(compression.program.name) says \"\(String(decoding: text, as: UTF8.self))\"")
  }
}
