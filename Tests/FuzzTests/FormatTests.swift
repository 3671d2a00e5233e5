import Fuzzing
import TestSupport
import Testing

/// Random lines of each format, through what the fuzzers run: a trap is a failure.
@Suite struct FormatTests {
  @Test func combined() {
    var random = Numbers(state: 21)
    let heads = [
      "192.0.2.7", "10.9.9.9", "[v1.fd00::3]", "[fd00::3]", "fd00::3", "-", "- -", "www.example.test:80", "bob", "",
      "two words",
      "[21/Nov/2026:06:56:41 +0000]", #"\x22"#, "192.0.2.7:80", "[",
    ]
    let tails = [
      "\"GET / HTTP/1.1\"", "401", "-", "153", "\"-\"", "\"curl/8\"", "\"", "\"x\\\" y\"", "\"\\\\\"", "", "\"/.env\"",
      "\u{1B}[31m",
      "\"GET /../x?y=z\"",
    ]
    for _ in 0..<20_000 {
      let head = (0..<Int.random(in: 0...5, using: &random)).map { _ in heads.randomElement(using: &random)! }
      let tail = (0..<Int.random(in: 0...6, using: &random)).map { _ in tails.randomElement(using: &random)! }
      var line = Array((head + ["[21/Nov/2026:06:56:41 +0000]"] + tail).joined(separator: " ").utf8)
      if Bool.random(using: &random) { line[Int.random(in: 0..<line.count, using: &random)] = UInt8(ascii: " ") }
      FuzzTarget.combined.run(line)
    }
  }

  @Test func logfmt() {
    let parts = [
      "host=192.0.2.7", "host=\"192.0.2.7\"", "msg=\"Login fail\\\"d\"", "status=401", "status=failed", "user=", "=x",
      "word",
      "\"", "msg=\"a=b host=198.51.100.9\"", "x=\"", "\\", "user=a\"b", "host=2001:db8::7", "", "user=\"\\u00e9\\\\\"",
    ]
    fuzz(.logfmt, parts, separators: [" ", " ", "  "], seed: 22)
  }

  @Test func columns() {
    let parts = [
      "192.0.2.7", "401", "failed", "\"a,\"\"b\"", "\"", "bob", "", "-", "host", "msg", "status", "user", "#Fields:",
      "#fields", "Login fail\"d", "\"Login fail\"\"d\"", "host,msg,status,user", "2001:db8::7,x,401,bob",
    ]
    fuzz(.columns, parts, separators: [",", " ", "\t", "\n"], seed: 23)
  }

  @Test func split() {
    let parts = [
      "192.0.2.7", "-", "bob", "[21/Nov/2026:06:56:41 +0000]", "\"GET / HTTP/1.1\"", "401", "12", "\"curl\"",
      "192.0.2.7 - bob [21/Nov/2026:06:56:41 +0000] \"GET / HTTP/1.1\" 401 12 \"curl\" x", "\"a\\\"b\"", "\"",
      "192.0.2.7:80 [28/Nov/2026:04:35:01.123] w a/s 0/0/1/2/3 401 12 - - ---- 1/1/0/0/0 0/0 \"GET / HTTP/1.1\"",
    ]
    fuzz(.split, parts, separators: [" ", " ", "\n"], seed: 24)
  }

  /// Some of `parts` at random, a few bytes changed.
  private func fuzz(_ target: FuzzTarget, _ parts: [String], separators: [String], seed: UInt64) {
    var random = Numbers(state: seed)
    for _ in 0..<5_000 {
      var text = ""
      for _ in 0..<Int.random(in: 1...12, using: &random) {
        text += parts.randomElement(using: &random)! + separators.randomElement(using: &random)!
      }
      var bytes = Array(text.utf8)
      if Bool.random(using: &random) { bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8(ascii: " ") }
      target.run(bytes)
    }
  }
}
