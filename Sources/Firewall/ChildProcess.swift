import CMnl
import Glibc

/// Runs a program to its end: an argument array, never a shell; input from memory, bounded output, a deadline.
///
/// Synchronous, and the child is made by the calling thread: it lives in that thread's network namespace, as a netlink
/// socket does, and the thread that decides knows in which order things happened. (swift-subprocess is async and gives
/// neither.)
struct ChildProcess {
  var path: String
  var arguments: [String]
  var input = ""
  /// Seconds until it is killed; iptables waits for another program's lock (`-w`) for less than that.
  var deadline = 30.0

  struct Result {
    /// The exit code, or 128 + the signal.
    var status: Int32
    var output: String
    var errors: String
  }

  /// A listing of a filter table with a hundred thousand rules is 10 MB.
  static let outputLimit = 64 << 20

  var name: String { path.split(separator: "/").last.map(String.init) ?? path }

  func run() throws(FirewallError) -> Result {
    let input = Descriptor(inputFile())
    var output = pipeEnds()
    var errors = pipeEnds()
    guard input.isOpen, output.read.isOpen, errors.read.isOpen else { throw failure(errno) }

    let pid = try spawn(input.raw, output.write.raw, errors.write.raw)
    output.write.close()
    errors.write.close()
    let exit = Descriptor(bailiff_pidfd_open(pid))
    let end = monotonicSeconds() + deadline
    let collected = exit.isOpen ? collect(output.read.raw, errors.read.raw, exit.raw, until: end) : nil
    if collected == nil { kill(pid, SIGKILL) }
    let status = reap(pid)
    guard let collected else {
      throw FirewallError(
        .timedOut,
        "\(name) \(arguments.joined(separator: " ")) did not end within \(Int(deadline)) s (or printed more than "
          + "\(Self.outputLimit >> 20) MiB) and was stopped")
    }
    return Result(
      status: status, output: String(decoding: collected.output, as: UTF8.self),
      errors: String(decoding: collected.errors, as: UTF8.self))
  }

  private func failure(_ code: Int32) -> FirewallError {
    FirewallError(.programFailed, "cannot run \(path): \(errorText(code))")
  }

  /// Standard input, whole, in a file in memory: nothing to write while the child runs, so nothing can block.
  private func inputFile() -> Int32 {
    // Safe, both: the literal is never freed.
    guard !input.isEmpty else { return unsafe open("/dev/null", O_RDONLY | O_CLOEXEC) }
    let file = unsafe memfd_create("bailiff-input", UInt32(bailiff_memfd_cloexec))
    guard file >= 0 else { return -1 }
    var text = input
    // Safe: the pointer is used only within the call, for as many bytes as the string has.
    let complete = text.withUTF8 { bytes in unsafe write(file, bytes.baseAddress, bytes.count) == bytes.count }
    guard complete, lseek(file, 0, SEEK_SET) == 0 else {
      close(file)
      return -1
    }
    return file
  }

  private func spawn(_ input: Int32, _ output: Int32, _ errors: Int32) throws(FirewallError) -> pid_t {
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
    unsafe posix_spawn_file_actions_adddup2(&actions, input, 0)
    unsafe posix_spawn_file_actions_adddup2(&actions, output, 1)
    unsafe posix_spawn_file_actions_adddup2(&actions, errors, 2)
    unsafe posix_spawn_file_actions_addclosefrom_np(&actions, 3)
    // The child begins with no signal blocked or ignored, whatever this process does with its own.
    var none = sigset_t()
    var all = sigset_t()
    // Safe: four calls that fill or copy local values.
    unsafe sigemptyset(&none)
    unsafe sigfillset(&all)
    unsafe posix_spawnattr_setsigmask(&attributes, &none)
    unsafe posix_spawnattr_setsigdefault(&attributes, &all)
    unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))

    // Safe: every string is copied by strdup and freed below, after posix_spawn has returned; the arrays end with nil.
    var argv = unsafe copies([path] + arguments)
    var environment = unsafe copies(["LC_ALL=C", "PATH=/usr/sbin:/usr/bin:/sbin:/bin"])
    defer {
      // Safe: what strdup returned, each freed once.
      for i in unsafe argv.indices { unsafe free(argv[i]) }
      for i in unsafe environment.indices { unsafe free(environment[i]) }
    }
    var pid: pid_t = 0
    // Safe: all pointers outlive the call.
    let code = unsafe posix_spawn(&pid, path, &actions, &attributes, &argv, &environment)
    guard code == 0 else { throw failure(code) }
    return pid
  }

  private func copies(_ strings: [String]) -> [UnsafeMutablePointer<CChar>?] {
    // Safe: strdup copies; the caller frees.
    unsafe strings.map { (string: String) -> UnsafeMutablePointer<CChar>? in unsafe strdup(string) } + [nil]
  }

  /// Reads both pipes until they end and the child has ended; nil when the time or the limit is over.
  private func collect(
    _ output: Int32, _ errors: Int32, _ exit: Int32, until end: Double
  ) -> (output: [UInt8], errors: [UInt8])? {
    var texts: [[UInt8]] = [[], []]
    var polls = [output, errors, exit].map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while polls.contains(where: { $0.fd >= 0 }) {
      let left = end - monotonicSeconds()
      guard left > 0 else { return nil }
      // Safe: the array's own count.
      let ready = unsafe poll(&polls, nfds_t(polls.count), Int32(min(left * 1000 + 1, 60_000)))
      if ready < 0, errno != EINTR { return nil }
      guard ready > 0 else { continue }
      for i in 0..<2 where polls[i].fd >= 0 && polls[i].revents != 0 {
        // Safe: writes at most the buffer's own count.
        let count = unsafe read(polls[i].fd, &buffer, buffer.count)
        if count > 0 {
          texts[i] += buffer[..<count]
          guard texts[i].count <= Self.outputLimit else { return nil }
        } else if count == 0 || errno != EINTR {
          polls[i].fd = -1
        }
      }
      if polls[2].revents != 0 { polls[2].fd = -1 }
    }
    return (texts[0], texts[1])
  }

  private func reap(_ pid: pid_t) -> Int32 {
    var status: Int32 = 0
    // Safe: writes to a local.
    while unsafe waitpid(pid, &status, 0) < 0 {
      guard errno == EINTR else { return 127 }
    }
    let signal = status & 0x7F
    return signal == 0 ? (status >> 8) & 0xFF : 128 + signal
  }
}

/// Closes its descriptor once.
struct Descriptor: ~Copyable {
  private(set) var raw: Int32

  init(_ raw: Int32) { self.raw = raw }

  var isOpen: Bool { raw >= 0 }

  mutating func close() {
    if raw >= 0 { Glibc.close(raw) }
    raw = -1
  }

  deinit { if raw >= 0 { Glibc.close(raw) } }
}

private struct PipeEnds: ~Copyable {
  var read: Descriptor
  var write: Descriptor
}

private func pipeEnds() -> PipeEnds {
  var ends: [Int32] = [-1, -1]
  // Safe: pipe2 writes two integers.
  if unsafe pipe2(&ends, O_CLOEXEC) != 0 { ends = [-1, -1] }
  return PipeEnds(read: Descriptor(ends[0]), write: Descriptor(ends[1]))
}

func monotonicSeconds() -> Double {
  var time = timespec()
  // Safe: writes to a local.
  unsafe clock_gettime(CLOCK_MONOTONIC, &time)
  return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}

/// `strerror` for one code.
func errorText(_ code: Int32) -> String {
  var buffer = [UInt8](repeating: 0, count: 128)
  // Safe: bounded by the buffer's count.
  let result = unsafe buffer.withUnsafeMutableBytes { bytes in
    unsafe strerror_r(code, bytes.assumingMemoryBound(to: CChar.self).baseAddress!, bytes.count)
  }
  return result == 0 ? String(decoding: buffer.prefix { $0 != 0 }, as: UTF8.self) : "error \(code)"
}
