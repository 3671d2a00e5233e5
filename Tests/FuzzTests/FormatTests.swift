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
}
