import Foundation
import LogSources
import Synchronization
import System
import TestSupport
import Testing

@Suite struct PastLogTests {
  let directory = TemporaryDirectory()

  private func read(_ name: String, _ range: Range<UInt64>? = nil) throws -> (lines: [String], counts: PastLog.Counts) {
    let sink = RecordingSink()
    let counts = try PastLog(directory(name)).read(range, as: 0, to: sink)
    return (sink.texts, counts)
  }

  @Test func deliversEveryLineOnceAndTheLastWithoutItsEnd() throws {
    var random = Numbers(state: 7)
    var lines: [String] = []
    for i in 0..<20_000 { lines.append("\(i) " + String(repeating: "x", count: Int(random.next() % 200))) }
    try directory.write(lines.joined(separator: "\n"), to: "a.log")
    let (got, counts) = try read("a.log")
    #expect(got == lines)
    #expect(counts.lines == 20_000 && counts.bytes == UInt64(lines.joined(separator: "\n").utf8.count))
  }

  /// Filters that must know what follows a line know it at the end of a chunk, too.
  @Test(arguments: [false, true]) func chunksAreLentWithWhatFollows(isCompressed: Bool) throws {
    let text = (0..<12_000).map { "\($0) " + String(repeating: "x", count: 60) + "\n" }.joined()
    try directory.write(text, to: "a.log")
    if isCompressed { try shell("gzip -f \(directory("a.log"))") }
    let sink = RecordingSink()
    _ = try PastLog(directory(isCompressed ? "a.log.gz" : "a.log")).read(as: 0, to: sink)
    let chunks = sink.record.withLock { $0.chunks }
    #expect(chunks.count > 2)
    #expect(String(decoding: chunks.flatMap(\.bytes), as: UTF8.self) == text)
    for (chunk, next) in zip(chunks, chunks.dropFirst()) {
      let ahead = try #require(chunk.ahead)
      #expect(ahead.count == 2048 && next.bytes.starts(with: ahead))
    }
    #expect(chunks.last?.ahead == nil)
  }

  @Test func rangesThatTouchShareNoLineAndMissNone() throws {
    let lines = (0..<500).map { "line \($0) " + String(repeating: "y", count: $0 % 37) }
    let text = lines.joined(separator: "\n") + "\n"
    try directory.write(text, to: "a.log")
    let size = UInt64(text.utf8.count)
    var random = Numbers(state: 3)
    for _ in 0..<200 {
      let cuts = ([0, size] + (0..<3).map { _ in random.next() % (size + 1) }).sorted()
      var got: [String] = []
      for (from, to) in zip(cuts, cuts.dropFirst()) { got += try read("a.log", from..<to).lines }
      try #require(got == lines, "cuts \(cuts)")
    }
  }

  @Test(arguments: [
    LineLimit.bytes - 1, LineLimit.bytes, LineLimit.bytes + 1, LineLimit.bytes + 2, 256 << 10, (256 << 10) + 1,
    (320 << 10) + 1, 10 << 20,
  ])
  func cutsLongLines(length: Int) throws {
    for shift in [0, 1, 100_000] {
      let before = shift == 0 ? "" : String(repeating: "b", count: shift - 1) + "\n"
      let long = String(repeating: "0123456789", count: length / 10 + 1).prefix(length)
      for end in ["\nafter\n", "\n", ""] {
        try directory.write(before + long + end, to: "a.log")
        let (got, counts) = try read("a.log")
        var expected = (before == "" ? [] : [String(before.dropLast())]) + [String(long)]
        if end == "\nafter\n" { expected.append("after") }
        let tooLong = expected.count { $0.count > LineLimit.bytes }
        expected = expected.map { String($0.prefix(LineLimit.bytes)) }
        try #require(got == expected, "shift \(shift) end \(end.debugDescription)")
        #expect(counts.tooLong == UInt64(tooLong) && counts.lines == UInt64(expected.count))
        #expect(counts.bytes == UInt64((before + long + end).utf8.count))
      }
    }
  }

  @Test(arguments: [["gzip"], ["xz", "-0"], ["zstd", "-q"], ["bzip2"]])
  func readsThroughTheDecompressor(command: [String]) throws {
    let lines = (0..<50_000).map { "line number \($0)" }
    try directory.write(lines.joined(separator: "\n") + "\n", to: "a.log")
    try shell("\(command.joined(separator: " ")) -c < \(directory("a.log")) > \(directory("a.log.1"))")
    let (got, counts) = try read("a.log.1")
    #expect(got == lines)
    #expect(counts.lines == 50_000)
    // Cut off in the middle: what was read is given, and then the error names the file and the program.
    try shell("head -c 5000 \(directory("a.log.1")) > \(directory("cut"))")
    let error = #expect(throws: SystemError.self) { try read("cut") }
    #expect(error?.description.contains("cut: \(command[0])") == true)
  }

  @Test func saysWhatCannotBeRead() throws {
    let missing = #expect(throws: SystemError.self) { try PastLog(directory("none")) }
    #expect(missing?.description == "cannot open \(directory("none")): No such file or directory")
    let folder = #expect(throws: SystemError.self) { try PastLog(directory.path) }
    #expect(folder?.description.hasSuffix("Is a directory") == true)
  }

  @Test func stopsWhenTold() throws {
    try directory.write(String(repeating: "line\n", count: 1_000_000), to: "a.log")
    var turns = 0
    let counts = try PastLog(directory("a.log")).read(as: 0, to: RecordingSink()) {
      turns += 1
      return turns < 2
    }
    #expect(counts.lines > 0 && counts.lines < 1_000_000)
  }
}

@discardableResult
func shell(_ command: String) throws -> String {
  let process = Process()
  process.executableURL = URL(fileURLWithPath: "/bin/bash")
  process.arguments = ["-c", command]
  let pipe = Pipe()
  process.standardOutput = pipe
  try process.run()
  let output = pipe.fileHandleForReading.readDataToEndOfFile()
  process.waitUntilExit()
  guard process.terminationStatus == 0 else {
    throw SystemError(code: EIO, operation: "run: \(command) (status \(process.terminationStatus))")
  }
  return String(decoding: output, as: UTF8.self)
}
