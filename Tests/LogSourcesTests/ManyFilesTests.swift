import Foundation
import LogSources
import Testing

/// Many logs under one wildcard: opening, looking and rotating once cost the square of their number (Benchmarks measures
/// five thousand).
@Suite struct ManyFilesTests {
  let directory = TemporaryDirectory()
  private static let count = 1000

  private func name(_ i: Int) -> String { "f\(10000 + i).log" }

  private static func raiseFileLimit() {
    var limit = rlimit()
    // Safe: getrlimit(2) and setrlimit(2) use the struct during the call.
    guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
    limit.rlim_cur = limit.rlim_max
    _ = unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
  }

  @Test func areReadRotatedAndReloaded() throws {
    Self.raiseFileLimit()
    for i in 0..<Self.count { try directory.write("", to: name(i)) }
    let spec = SourceSpec.files([directory("*.log")])
    let run = try RunningReader([spec])
    run.waitUntilReading(Self.count)
    var lines: [String] = []
    for i in stride(from: 0, to: Self.count, by: 50) {
      lines.append("one \(i)")
      try directory.append("one \(i)\n", to: name(i))
    }
    run.wait("lines of twenty files") { run.sink.texts.count == lines.count }
    // logrotate, in the middle of it all.
    for i in stride(from: 0, to: Self.count, by: 2) {
      try directory.rename(name(i), name(i) + ".1")
      try directory.write("two \(i)\n", to: name(i))
      lines.append("two \(i)")
    }
    run.wait("lines of new files") { run.sink.texts.count >= lines.count }
    run.reader.reload(sources: [.files([directory("x*.log")]), spec])
    try directory.append("three\n", to: name(7))
    lines.append("three")
    run.wait("a line after the reload") { run.sink.texts.count >= lines.count }
    #expect(run.sink.texts.sorted() == lines.sorted())
    run.stop()
    for i in stride(from: 1, to: Self.count, by: 2) {
      try directory.append("four \(i)\n", to: name(i))
      try directory.rename(name(i), name(i) + ".1")
      try directory.write("five \(i)\n", to: name(i))
    }
    let second = try RunningReader([spec], positions: run.sink.positions)
    second.wait("what came meanwhile") { second.sink.texts.count >= Self.count }
    #expect(Set(second.sink.texts).count == Self.count && second.sink.texts.count == Self.count)
    #expect(second.sink.events.allSatisfy { !$0.isLoss })
  }
}
