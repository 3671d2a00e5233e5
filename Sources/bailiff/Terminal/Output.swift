import Glibc
import JSON
import System

/// Standard output, in blocks. When the reader has gone (`bailiff audit | head`) the process ends in peace; when a disk is
/// full it says so.
struct Output: ~Copyable {
  private var buffer: [UInt8] = []
  private static let block = 64 << 10

  init() {}

  mutating func write(_ text: String) {
    buffer.append(contentsOf: text.utf8)
    if buffer.count >= Self.block { flush() }
  }

  mutating func write(_ bytes: [UInt8]) {
    buffer.append(contentsOf: bytes)
    if buffer.count >= Self.block { flush() }
  }

  mutating func line(_ text: String = "") {
    writeLine { $0.append(contentsOf: text.utf8) }
  }

  mutating func writeLine(_ body: (inout [UInt8]) -> Void) {
    body(&buffer)
    buffer.append(UInt8(ascii: "\n"))
    if buffer.count >= Self.block { flush() }
  }

  /// One object, one line.
  mutating func json(_ value: some Encodable) {
    var text = JSONText()
    JSONOutput.append(value, to: &text)
    writeLine { $0.append(contentsOf: text.bytes) }
  }

  mutating func flush() {
    if let code = writeAll(buffer, to: STDOUT_FILENO) {
      if code == EPIPE { exit(ExitStatus.done.rawValue) }
      Diagnostics.write("bailiff: cannot write to standard output: \(SystemError.text(code))\n")
      exit(ExitStatus.rejected.rawValue)
    }
    buffer.removeAll(keepingCapacity: true)
  }
}

/// Standard error; what cannot be said there is not said.
enum Diagnostics {
  static func write(_ text: String) { _ = writeAll(Array(text.utf8), to: STDERR_FILENO) }
}

/// Nil, or errno.
func writeAll(_ bytes: [UInt8], to descriptor: Int32) -> Int32? {
  var start = 0
  while start < bytes.count {
    // Safe: the pointer covers exactly the bytes from `start`, and stays inside the call.
    let count = unsafe bytes[start...].withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress, $0.count) }
    if count >= 0 { start += count } else if errno != EINTR { return errno }
  }
  return nil
}
