import ArgumentParser
import Glibc
import Model
import System

/// Addresses, blocks and names as they are typed; `-` reads them from standard input.
enum IDArguments {
  static func check(_ ids: [String]) throws {
    if ids.contains("-"), ids.count > 1 { throw ValidationError("- reads the ids from standard input; give it alone") }
    for id in ids where id != "-" { try check(id) }
  }

  static func expand(_ ids: [String]) throws -> [String] { ids == ["-"] ? try standardInput() : ids }

  /// What looks like an address or a block must be one: a ban of the name `192.0.2.7/33` would block nobody.
  static func check(_ id: String) throws {
    guard !id.isEmpty else { throw ValidationError("the id is empty; give an address, a block or a name") }
    guard Identity(id).subnet == nil else { return }
    let first = id.split(separator: "/", omittingEmptySubsequences: false).first ?? ""
    if Address(first) != nil {
      throw ValidationError(
        "`\(printable(id))` is no block; write ADDRESS/0 to 32, or to 128 for IPv6, such as 192.0.2.0/24")
    }
    let looksNumeric = id.utf8.allSatisfy {
      ($0 >= 48 && $0 <= 57) || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "/")
    }
    let hex = "0123456789abcdefABCDEF:./%"
    if looksNumeric || (id.contains("::") && id.allSatisfy { hex.contains($0) }) {
      throw ValidationError("`\(printable(id))` is no address; write 192.0.2.7, 2001:db8::7 or a block of them")
    }
  }

  /// - Throws: `ValidationError` for an id that is none; nothing was done then.
  private static func standardInput() throws -> [String] {
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 64 << 10)
    while true {
      // Safe: at most the array's size is read.
      let count = retrying { unsafe read(STDIN_FILENO, &chunk, chunk.count) }
      guard count >= 0 else { throw CommandFailure(.usage, "\(SystemError.last("read standard input"))") }
      if count == 0 { break }
      bytes += chunk[..<count]
    }
    let ids = String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isWhitespace).map(String.init)
    guard !ids.isEmpty else { throw CommandFailure(.rejected, "standard input has no ids") }
    for id in ids { try check(id) }
    return ids
  }
}
