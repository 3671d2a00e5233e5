internal import Glibc

/// A system call that failed, and on what.
public struct SystemError: Error, Hashable, Sendable, CustomStringConvertible {
  public var code: Int32
  /// What was being done: `open /var/log/auth.log`.
  public var operation: String

  public init(code: Int32, operation: String) {
    self.code = code
    self.operation = operation
  }

  /// The last call's.
  static func last(_ operation: String) -> SystemError { SystemError(code: errno, operation: operation) }

  public var description: String { "cannot \(operation): \(Self.text(code))" }

  static func text(_ code: Int32) -> String {
    // Safe: strerror(3) returns a string that lasts until this thread's next call.
    unsafe String(cString: strerror(code))
  }
}
