import Glibc
import Model
import System

@testable import Firewall

/// UDP between two namespaces, with the same short waits as TCP.
enum UDP {
  static func bind(_ address: String, port: UInt16) throws -> Int32 {
    let address = Address(address)!
    let fd = TCP.socket(address, SOCK_DGRAM)
    // Safe: the pointer is valid during the call.
    guard unsafe TCP.with(address, port: port, { unsafe Glibc.bind(fd, $0, $1) }) == 0 else {
      throw FirewallError(.invalid, "cannot bind \(address):\(port): \(SystemError.text(errno))")
    }
    return fd
  }

  static func send(from source: String, to target: String, port: UInt16) throws {
    let fd = try bind(source, port: 0)
    defer { close(fd) }
    let bytes = Array(source.utf8)
    // Safe: the pointers are valid during the calls.
    _ = unsafe TCP.with(Address(target)!, port: port) {
      unsafe Int32(Glibc.sendto(fd, bytes, bytes.count, 0, $0, $1))
    }
  }

  /// Does what `source` sent arrive?
  static func arrives(_ fd: Int32, from source: String) -> Bool {
    var buffer = [UInt8](repeating: 0, count: 64)
    while true {
      // Safe: writes at most the buffer's count.
      let count = unsafe recv(fd, &buffer, buffer.count, 0)
      guard count > 0 else { return false }
      if String(decoding: buffer[..<count], as: UTF8.self) == source { return true }
    }
  }
}
