internal import CSystemd
internal import Glibc

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
  private let pipe: Descriptor
  /// What the program complains of; a file in memory, because a pipe that nobody reads would stop it.
  private let complaints: Descriptor
  private var process: pid_t

  /// Seconds without any output after which the program is given up.
  private static let deadline: Int32 = 60

  var output: Int32 { pipe.raw }

  init(_ compression: Compression, of file: Int32, name: String) throws(SystemError) {
    self.compression = compression
    self.name = name
    var ends: [Int32] = [-1, -1]
    // Safe: pipe2(2) writes two descriptors.
    guard unsafe pipe2(&ends, O_CLOEXEC) == 0 else { throw .last("make a pipe") }
    pipe = Descriptor(ends[0])
    let writing = Descriptor(ends[1])
    // Safe: memfd_create(2) reads the name during the call. 1 is MFD_CLOEXEC, a macro that Swift does not see.
    complaints = Descriptor(unsafe memfd_create("complaints", 1))
    process = -1
    // The program reads from the file's start, whatever was read before.
    lseek(file, 0, SEEK_SET)
    process = try Self.start(compression, name, input: file, output: writing.raw, complaints: complaints.raw)
  }

  deinit {
    if process > 0 {
      kill(process, SIGKILL)
      _ = wait()
    }
  }

  private static func start(
    _ compression: Compression, _ name: String, input: Int32, output: Int32, complaints: Int32
  ) throws(SystemError) -> pid_t {
    let program = compression.program
    // Safe, to the end of this function: posix_spawn(3) with its own objects, which are initialised before and destroyed
    // after, and an argument array that ends with nil and whose strings outlive the call.
    var actions = unsafe posix_spawn_file_actions_t()
    var attributes = posix_spawnattr_t()
    unsafe posix_spawn_file_actions_init(&actions)
    unsafe posix_spawnattr_init(&attributes)
    defer {
      unsafe posix_spawn_file_actions_destroy(&actions)
      unsafe posix_spawnattr_destroy(&attributes)
    }
    unsafe posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO)
    unsafe posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO)
    unsafe posix_spawn_file_actions_adddup2(&actions, complaints, STDERR_FILENO)
    // The daemon blocks signals; its children must not.
    var none = sigset_t()
    var all = sigset_t()
    unsafe sigemptyset(&none)
    unsafe sigfillset(&all)
    unsafe posix_spawnattr_setsigmask(&attributes, &none)
    unsafe posix_spawnattr_setsigdefault(&attributes, &all)
    unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
    let arguments = unsafe [strdup(program.name), strdup("-dc"), nil]
    // swift-format-ignore: ReplaceForEachWithForLoop
    defer { unsafe arguments.forEach { unsafe free($0) } }
    var process: pid_t = 0
    let code = unsafe posix_spawnp(&process, program.name, &actions, &attributes, arguments, environ)
    guard code == 0 else {
      let remedy = code == ENOENT ? " (install the package \(program.package))" : ""
      throw SystemError(code: code, operation: "run \(program.name) to read \(name)\(remedy)")
    }
    return process
  }

  /// Waits until there is something to read, or the end.
  func waitForOutput() throws(SystemError) {
    var wanted = pollfd(fd: pipe.raw, events: Int16(POLLIN), revents: 0)
    // Safe: poll(2) reads and writes the one struct.
    if retrying({ unsafe poll(&wanted, 1, Self.deadline * 1000) }) == 0 {
      throw SystemError(code: ETIMEDOUT, operation: "read \(name) through \(compression.program.name)")
    }
  }

  /// The output has ended: was that the file's end?
  func finish() throws(SystemError) {
    let status = wait()
    process = -1
    guard status != 0 else { return }
    var text = Fingerprint.head(of: complaints.raw)
    text.removeAll { $0 < 32 || $0 > 126 }
    throw SystemError(
      code: EIO,
      operation: "read \(name): \(compression.program.name) says \"\(String(decoding: text, as: UTF8.self))\"")
  }

  private func wait() -> Int32 {
    var status: Int32 = 0
    // Safe: waitpid(2) writes the status during the call.
    let result = retrying { unsafe waitpid(process, &status, 0) }
    return result == process ? status : -1
  }
}
