import Foundation
import Synchronization
import System

/// The kernel's log from now on, with what it logs of other network namespaces' packets.
public final class KernelLog: Sendable {
  private struct Switch {
    var users = 0
    var before = ""
  }

  private let file: Int32
  private static let allNamespaces = "/proc/sys/net/netfilter/nf_log_all_netns"
  private static let shared = Mutex(Switch())

  public init() throws {
    try Self.shared.withLock { shared in
      if shared.users == 0 { shared.before = try String(contentsOfFile: Self.allNamespaces, encoding: .utf8) }
      try "1".write(toFile: Self.allNamespaces, atomically: false, encoding: .utf8)
      shared.users += 1
    }
    // Safe: a path that is there during the call.
    file = unsafe open("/dev/kmsg", O_RDONLY | O_NONBLOCK)
    lseek(file, 0, SEEK_END)
  }

  deinit {
    close(file)
    Self.shared.withLock { shared in
      shared.users -= 1
      if shared.users == 0 { try? shared.before.write(toFile: Self.allNamespaces, atomically: false, encoding: .utf8) }
    }
  }

  /// What is new, a text a record, without its numbers and its dictionary (Documentation/ABI/testing/dev-kmsg).
  public func news() -> [String] {
    var lines: [String] = []
    var buffer = [UInt8](repeating: 0, count: 8192)
    while true {
      // Safe: into a local buffer of the length named; one record a call.
      let length = unsafe read(file, &buffer, buffer.count)
      guard length > 0 else { return lines }
      let record = buffer[..<length].prefix { $0 != UInt8(ascii: "\n") }
      guard let start = record.firstIndex(of: UInt8(ascii: ";")) else { continue }
      lines.append(String(decoding: record[(start + 1)...], as: UTF8.self))
    }
  }

  /// Waits for so many lines with this text.
  public func lines(with text: String, atLeast count: Int) -> [String] {
    var lines: [String] = []
    let end = monotonicSeconds() + 20
    while lines.count < count, monotonicSeconds() < end {
      lines += news().filter { $0.contains(text) }
      if lines.count < count { usleep(10_000) }
    }
    return lines
  }
}
