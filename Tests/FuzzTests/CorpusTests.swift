import Foundation
import Fuzzing
import Testing

/// The fuzzers' inputs, those that once went wrong among them, are no trouble.
@Suite struct CorpusTests {
  private static let corpora = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "../../fixtures/fuzz").standardizedFileURL

  @Test(arguments: FuzzTarget.allCases) func theCorpusRuns(_ target: FuzzTarget) throws {
    let directory = Self.corpora.appending(path: target.rawValue)
    let inputs = try FileManager.default.contentsOfDirectory(at: directory, includingPropertiesForKeys: nil)
    #expect(!inputs.isEmpty)
    for input in inputs.sorted(by: { $0.path < $1.path }) {
      let bytes = Array(try Data(contentsOf: input))
      // A trap ends the process: say what it was at.
      print("fuzz \(target.rawValue) \(input.lastPathComponent)")
      target.run(bytes)
      // And each of its beginnings, as where a write was cut.
      for end in stride(from: 0, to: min(bytes.count, 256), by: 16) { target.run(Array(bytes[..<end])) }
    }
  }
}
