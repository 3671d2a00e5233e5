internal import CLinux
internal import Glibc

extension Program {
  /// What a program that has ended left behind.
  public struct Result: Sendable {
    /// The exit code, or 128 + the signal.
    public var status: Int32
    public var output: String
    public var errors: String
  }

  /// A listing of a filter table with a hundred thousand rules is 10 MB.
  public static let outputLimit = 64 << 20

  /// Runs it to its end with `input` as standard input.
  ///
  /// Synchronous, because the thread that decides must know in which order things happened.
  /// - Parameter deadline: seconds until it is killed.
  /// - Throws: `ETIMEDOUT` after the deadline, `EFBIG` after more output than `outputLimit`, else why it cannot be started.
  public func run(input: String = "", deadline: Double = 30) throws(SystemError) -> Result {
    let input = try Self.inputFile(input)
    var output = try PipeEnds()
    var errors = try PipeEnds()
    var child = try start(input: input.raw, output: output.writing.raw, errors: errors.writing.raw)
    output.writing.close()
    errors.writing.close()
    var collected = Collected()
    do {
      try collected.read(
        output.reading.raw, errors.reading.raw, end: child.end.raw, until: monotonicSeconds() + deadline)
    } catch {
      child.kill()
      _ = child.wait()
      let command = ([name] + arguments).joined(separator: " ")
      throw SystemError(
        code: error.code,
        operation: error.code == ETIMEDOUT
          ? "wait longer than \(Int(deadline)) s for `\(command)`, which was stopped"
          : "read what `\(command)` prints, more than \(Self.outputLimit >> 20) MiB; it was stopped")
    }
    return Result(
      status: child.wait(), output: String(decoding: collected.texts[0], as: UTF8.self),
      errors: String(decoding: collected.texts[1], as: UTF8.self))
  }

  /// Standard input, whole, in a file in memory: nothing to write while the child runs, so nothing can block.
  private static func inputFile(_ input: String) throws(SystemError) -> Descriptor {
    guard !input.isEmpty else { return try .open("/dev/null") }
    let file = try Descriptor.memoryFile("bailiff-input")
    try file.write(Array(input.utf8))
    guard lseek(file.raw, 0, SEEK_SET) == 0 else { throw .last("rewind a file in memory") }
    return file
  }
}

/// Standard output and error of a child.
private struct Collected {
  var texts: [[UInt8]] = [[], []]

  /// Reads both until they end and the child has ended. Throws `ETIMEDOUT` or `EFBIG`.
  mutating func read(_ output: Int32, _ errors: Int32, end: Int32, until deadline: Double) throws(SystemError) {
    // A negative descriptor is left out by poll(2): without a pidfd the ends of the pipes have to do.
    var polls = [output, errors, end].map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while polls.contains(where: { $0.fd >= 0 }) {
      let left = deadline - monotonicSeconds()
      guard left > 0 else { throw SystemError(code: ETIMEDOUT, operation: "wait") }
      // Safe: the array's own count.
      let ready = unsafe poll(&polls, nfds_t(polls.count), Int32(min(left * 1000 + 1, 60_000)))
      if ready < 0, errno != EINTR { throw .last("wait") }
      guard ready > 0 else { continue }
      for i in 0..<2 where polls[i].fd >= 0 && polls[i].revents != 0 {
        // Safe: writes at most the buffer's own count.
        let count = unsafe Glibc.read(polls[i].fd, &buffer, buffer.count)
        if count > 0 {
          texts[i] += buffer[..<count]
          guard texts[i].count <= Program.outputLimit else { throw SystemError(code: EFBIG, operation: "read") }
        } else if count == 0 || errno != EINTR {
          polls[i].fd = -1
        }
      }
      if polls[2].revents != 0 { polls[2].fd = -1 }
    }
  }
}
