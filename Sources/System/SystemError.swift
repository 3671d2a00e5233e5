internal import CLinux
internal import Glibc

/// A system call that failed, and on what. Prints as `cannot open /var/log/auth.log: Permission denied`.
public struct SystemError: Error, Hashable, Sendable, CustomStringConvertible {
  /// As in errno(3).
  public var code: Int32
  /// What was being done: `open /var/log/auth.log`.
  public var operation: String

  public init(code: Int32, operation: String) {
    self.code = code
    self.operation = operation
  }

  /// The last call's, of this thread.
  public static func last(_ operation: String) -> SystemError { SystemError(code: errno, operation: operation) }

  public var description: String { "cannot \(operation): \(Self.text(code))" }

  /// The C library's words for an error number (strerror_r(3)): `Permission denied`.
  public static func text(_ code: Int32) -> String {
    var buffer = [UInt8](repeating: 0, count: 128)
    // Safe: strerror_r(3) writes at most the buffer's size, with a final zero.
    let result = unsafe buffer.withUnsafeMutableBytes { bytes in
      unsafe strerror_r(code, bytes.assumingMemoryBound(to: CChar.self).baseAddress!, bytes.count)
    }
    return result == 0 ? String(decoding: buffer.prefix { $0 != 0 }, as: UTF8.self) : "error \(code)"
  }
}
