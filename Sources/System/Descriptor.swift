internal import CLinux
internal import Glibc

/// The one owner of a file descriptor, which is closed when the owner is destroyed.
///
/// ```swift
/// let file = try Descriptor.open("/etc/hostname")
/// ```
public struct Descriptor: ~Copyable, Sendable {
  /// Negative when there is none.
  public private(set) var raw: Int32

  /// Takes over what a system call returned; negative when it failed.
  public init(_ raw: Int32) { self.raw = raw }

  public var isOpen: Bool { raw >= 0 }

  public mutating func close() {
    if raw >= 0 { _ = Glibc.close(raw) }
    raw = -1
  }

  deinit { if raw >= 0 { _ = Glibc.close(raw) } }

  /// open(2), not inherited by child processes; for reading unless `flags` say otherwise.
  public static func open(_ path: String, flags: Int32? = nil, mode: UInt32 = 0) throws(SystemError) -> Descriptor {
    // Safe: open(2) reads the path during the call.
    let raw = retrying { unsafe Glibc.open(path, (flags ?? O_RDONLY) | O_CLOEXEC, mode) }
    guard raw >= 0 else { throw .last("open \(path)") }
    return Descriptor(raw)
  }

  /// A file in memory, for a child's standard input or what it complains of (memfd_create(2)).
  public static func memoryFile(_ name: String) throws(SystemError) -> Descriptor {
    // Safe: memfd_create(2) reads the name during the call.
    let raw = unsafe memfd_create(name, UInt32(bailiff_mfd_cloexec))
    guard raw >= 0 else { throw .last("make a file in memory") }
    return Descriptor(raw)
  }

  /// Writes all of `bytes`.
  public borrowing func write(_ bytes: [UInt8]) throws(SystemError) {
    var at = 0
    while at < bytes.count {
      // Safe: write(2) reads the array's own bytes during the call.
      let count = unsafe bytes.withUnsafeBytes { buffer in
        retrying { unsafe Glibc.write(raw, buffer.baseAddress! + at, buffer.count - at) }
      }
      guard count > 0 else { throw .last("write") }
      at += count
    }
  }
}

/// Both ends of a pipe(7), not inherited by child processes.
public struct PipeEnds: ~Copyable {
  public var reading: Descriptor
  public var writing: Descriptor

  public init() throws(SystemError) {
    var ends: [Int32] = [-1, -1]
    // Safe: pipe2(2) writes two numbers.
    guard unsafe pipe2(&ends, O_CLOEXEC) == 0 else { throw .last("make a pipe") }
    reading = Descriptor(ends[0])
    writing = Descriptor(ends[1])
  }
}

/// Calls again while a signal interrupts; -1 with errno otherwise (signal(7)).
public func retrying<Result: FixedWidthInteger & SignedInteger>(_ body: () -> Result) -> Result {
  while true {
    let result = body()
    if result != -1 || errno != EINTR { return result }
  }
}
