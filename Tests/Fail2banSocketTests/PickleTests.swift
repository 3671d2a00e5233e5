import Fail2banSocket
import Foundation
import TestSupport
import Testing

/// Pickles as Python writes them, and such as no client of fail2ban's sends.
struct PickleTests {
  /// What Python makes of an expression, with each of its protocols.
  private static func pickles(_ expression: String) throws -> [[UInt8]] {
    let script =
      "import pickle,base64\nfor p in range(6): print(base64.b64encode(pickle.dumps(\(expression), p)).decode())"
    let result = try Shell.runBlocking("/usr/bin/python3 -c \(Shell.quoted(script))")
    return result.text.split(separator: "\n").map { Array(Data(base64Encoded: String($0))!) }
  }

  @Test func everyProtocolIsRead() throws {
    let cases: [(String, PickleValue)] = [
      ("['ping']", .list([.text("ping")])), ("('ping', 0.5)", .list([.text("ping"), .float(0.5)])),
      (
        "['set', 'sshd', 'banip', '192.0.2.1', 1, -1, 255, 256, 70000, -70000, 2**40, -2**40, True, False, None]",
        .list([
          .text("set"), .text("sshd"), .text("banip"), .text("192.0.2.1"), .int(1), .int(-1), .int(255), .int(256),
          .int(70000),
          .int(-70000), .int(1 << 40), .int(-1 << 40), .bool(true), .bool(false), .none,
        ])
      ),
      (
        "[['a', ['b', 'b', []]], (), ('x', 'y', 'z', 'w')]",
        .list([
          .list([.text("a"), .list([.text("b"), .text("b"), .list([])])]), .list([]),
          .list([.text("x"), .text("y"), .text("z"), .text("w")]),
        ])
      ),
      // Protocol 0 is Latin-1 with escapes, in which a backslash of the text is one, too.
      ("['\\\\u0041\\\\n\\r']", .list([.text("\\u0041\\n\r")])),
      ("['ü\\u20ac\\U0001f600\\n\\\\\\'\\x00\"']", .list([.text("ü€😀\n\\'\0\"")])),
      (
        "['x' * 300, 'y' * 70000]",
        .list([.text(String(repeating: "x", count: 300)), .text(String(repeating: "y", count: 70000))])
      ),
    ]
    for (expression, expected) in cases {
      let pickles = try Self.pickles(expression)
      #expect(pickles.count == 6)
      for (number, pickle) in pickles.enumerated() {
        #expect(try PickleReader.read(pickle) == expected, "\(number) \(expression)")
      }
    }
  }

  /// What would import, call or build something is refused, and so is what is none of fail2ban's business.
  @Test func nothingElseIsRead() throws {
    for expression in [
      "__import__('os').system", "ValueError('x')", "{'a': 1}", "{1, 2}", "object()", "1j", "bytearray(b'x')",
      "__import__('datetime').datetime(2026, 1, 1)", "2**70",
    ] {
      for pickle in try Self.pickles(expression) {
        #expect(throws: PickleReader.Failure.self, "\(expression)") { try PickleReader.read(pickle) }
      }
    }
    // A list that holds itself.
    for pickle in try Self.pickles("(lambda l: (l.append(l), l)[1])([])") {
      #expect(throws: PickleReader.Failure.self) { try PickleReader.read(pickle) }
    }
    let deep =
      [0x80, 2] + [UInt8](repeating: UInt8(ascii: "]"), count: 5000)
      + [UInt8](repeating: UInt8(ascii: "a"), count: 4999) + [UInt8(ascii: ".")]
    #expect(throws: PickleReader.Failure.self) { try PickleReader.read(deep) }
    // A length that is not there, and one that overflows.
    for bytes in ["X\u{7f}\u{7f}\u{7f}\u{7f}a.", "(.", "]", "", "e.", "a.", "h\0.", "N.N.", "(t", "K"] {
      #expect(throws: PickleReader.Failure.self, "\(bytes)") { try PickleReader.read(Array(bytes.utf8)) }
    }
    #expect(throws: PickleReader.Failure.self) {
      try PickleReader.read([0x8d] + [UInt8](repeating: 0xff, count: 8) + [46])
    }
  }

  /// Whatever the bytes, it ends, and does not crash.
  @Test func anyBytesAreSurvived() throws {
    var generator = Numbers(state: 20_261_128)
    let seeds = try Self.pickles("['set', 'sshd', ['addignoreip', 1, 2.5, True, None], ('a', 'a')]")
    var read = 0
    for _ in 0..<20_000 {
      var bytes = seeds[Int.random(in: 0..<seeds.count, using: &generator)]
      for _ in 0..<Int.random(in: 1...4, using: &generator) {
        bytes[Int.random(in: 0..<bytes.count, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
      }
      if (try? PickleReader.read(bytes)) != nil { read += 1 }
    }
    #expect(read > 0)
  }
}
