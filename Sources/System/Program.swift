internal import CLinux
internal import Glibc

/// A program to be started: an argument array, never a shell (posix_spawn(3)).
///
/// The child is made by the calling thread, so it lives in that thread's network namespace, as a netlink socket does. It
/// begins with no signal blocked or ignored, whatever this process does with its own, and with no descriptor but the three.
public struct Program: Sendable {
  public static let systemDirectories = ["/usr/sbin", "/sbin", "/usr/bin", "/bin"]
  /// A known language, so that what is printed can be read, and a known path.
  public static let environment = ["LC_ALL=C", "PATH=" + systemDirectories.joined(separator: ":")]

  public var path: String
  public var arguments: [String]
  public var environment: [String]

  public init(path: String, arguments: [String], environment: [String] = Program.environment) {
    self.path = path
    self.arguments = arguments
    self.environment = environment
  }

  /// The last part of the path.
  public var name: String { path.split(separator: "/").last.map(String.init) ?? path }

  /// Where `name` is in the system's directories, which a caller's PATH cannot change; nil: nowhere.
  public static func find(_ name: String, in directories: [String] = systemDirectories) -> String? {
    // Safe: access(2) reads the path during the call.
    directories.map { "\($0)/\(name)" }.first { unsafe access($0, X_OK) == 0 }
  }

  /// Starts it with these as standard input, output and error. The caller waits for it (`wait`).
  public func start(input: Int32, output: Int32, errors: Int32) throws(SystemError) -> RunningProgram {
    // Safe: both are initialised here, used by one call, and destroyed on every way out.
    var actions = unsafe posix_spawn_file_actions_t()
    var attributes = posix_spawnattr_t()
    unsafe posix_spawn_file_actions_init(&actions)
    unsafe posix_spawnattr_init(&attributes)
    defer {
      // Safe: the counterparts of the two calls above.
      unsafe posix_spawn_file_actions_destroy(&actions)
      unsafe posix_spawnattr_destroy(&attributes)
    }
    // Safe: plain descriptor numbers; the lists are owned by `actions`.
    unsafe posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO)
    unsafe posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO)
    unsafe posix_spawn_file_actions_adddup2(&actions, errors, STDERR_FILENO)
    unsafe posix_spawn_file_actions_addclosefrom_np(&actions, 3)
    var none = sigset_t()
    var all = sigset_t()
    // Safe: four calls that fill or copy local values.
    unsafe sigemptyset(&none)
    unsafe sigfillset(&all)
    unsafe posix_spawnattr_setsigmask(&attributes, &none)
    unsafe posix_spawnattr_setsigdefault(&attributes, &all)
    unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))

    // Safe: every string is copied by strdup and freed below, after posix_spawn has returned; the arrays end with nil.
    var argv = unsafe Self.copies([path] + arguments)
    var variables = unsafe Self.copies(environment)
    defer {
      // Safe: what strdup returned, each freed once.
      for i in unsafe argv.indices { unsafe free(argv[i]) }
      for i in unsafe variables.indices { unsafe free(variables[i]) }
    }
    var process: pid_t = 0
    // Safe: all pointers outlive the call.
    let code = unsafe posix_spawn(&process, path, &actions, &attributes, &argv, &variables)
    guard code == 0 else { throw SystemError(code: code, operation: "run \(path)") }
    return RunningProgram(process: process)
  }

  private static func copies(_ strings: [String]) -> [UnsafeMutablePointer<CChar>?] {
    // Safe: strdup copies; the caller frees.
    unsafe strings.map { (string: String) -> UnsafeMutablePointer<CChar>? in unsafe strdup(string) } + [nil]
  }
}

/// A child process, which is killed and waited for when its owner is destroyed.
public struct RunningProgram: ~Copyable, Sendable {
  public private(set) var process: Int32
  /// Readable once the program has ended (pidfd_open(2)); not open where the kernel refuses.
  public let end: Descriptor

  fileprivate init(process: pid_t) {
    self.process = process
    end = Descriptor(bailiff_pidfd_open(process))
  }

  public mutating func kill() {
    if process > 0 { _ = Glibc.kill(process, SIGKILL) }
  }

  /// Waits for the end: the exit code, or 128 + the signal.
  public mutating func wait() -> Int32 {
    guard process > 0 else { return 127 }
    var status: Int32 = 0
    // Safe: waitpid(2) writes to a local.
    let result = retrying { unsafe waitpid(process, &status, 0) }
    defer { process = -1 }
    guard result == process else { return 127 }
    let signal = status & 0x7F
    return signal == 0 ? (status >> 8) & 0xFF : 128 + signal
  }

  deinit {
    guard process > 0 else { return }
    _ = Glibc.kill(process, SIGKILL)
    var status: Int32 = 0
    // Safe: waitpid(2) writes to a local.
    _ = retrying { unsafe waitpid(process, &status, 0) }
  }
}
