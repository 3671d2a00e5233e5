import Foundation
import LogSources
import Testing

@testable import struct LogSources.RecentLines

/// Programs that keep only the last lines of their log write all of it with each new line: old lines were once counted
/// every time.
@Suite struct RewriteTests {
  let directory = TemporaryDirectory()

  enum Way: CaseIterable { case rename, inPlace, emptiedFirst }

  private func write(_ lines: [String], _ way: Way) throws {
    let text = lines.map { $0 + "\n" }.joined()
    switch way {
    case .rename:
      try directory.write(text, to: "new")
      try directory.rename("new", "a.log")
    case .inPlace: try directory.overwrite(text, in: "a.log")
    case .emptiedFirst:
      try shell(": > \(directory("a.log"))")
      usleep(20_000)
      try directory.append(text, to: "a.log")
    }
  }

  private func line(_ number: Int) -> String {
    "Nov 28 07:00:\(10 + number / 3) web sshd[1]: Failed password \(number)"
  }

  @Test(arguments: Way.allCases, [10, 100, 300])
  func onlyNewLinesAreRead(way: Way, kept: Int) throws {
    try directory.write("", to: "a.log")
    let run = try RunningReader([.files([directory("a.log")])])
    run.waitUntilReading()
    var all = (0..<kept).map(line)
    for line in all { try directory.append(line + "\n", to: "a.log") }
    run.wait(forLines: all)
    for number in kept..<kept + 5 {
      all.append(line(number))
      try write(all.suffix(kept), way)
      run.wait("line \(number)") { run.sink.texts.count >= all.count }
    }
    usleep(200_000)
    #expect(run.sink.texts == all)
    run.stop()
    #expect(run.sink.events.count { $0.kind == .rewritten } == 1)
    #expect(run.sink.events.allSatisfy { !$0.isLoss })
    #expect(run.reader.status().map(\.rotations) == [0] && run.reader.status().map(\.truncations) == [0])
  }

  /// Lines that are alike: as many of them are new as there are more than before.
  @Test func linesThatAreAlike() throws {
    try directory.write("", to: "a.log")
    let run = try RunningReader([.files([directory("a.log")])])
    run.waitUntilReading()
    try directory.append(String(repeating: "the same line\n", count: 10), to: "a.log")
    run.wait("ten lines") { run.sink.texts.count == 10 }
    try write(Array(repeating: "the same line", count: 9) + ["another"], .rename)
    run.wait("the new one") { run.sink.texts.count >= 11 }
    try write(Array(repeating: "the same line", count: 8) + ["another", "another"], .rename)
    run.wait("another new one") { run.sink.texts.count >= 12 }
    usleep(100_000)
    #expect(run.sink.texts.suffix(2) == ["another", "another"] && run.sink.texts.count == 12)
  }

  /// Somebody takes lines out of a log.
  @Test func linesThatWereTakenOut() throws {
    let old = (0..<1000).map(line)
    try directory.write("", to: "a.log")
    let run = try RunningReader([.files([directory("a.log")])])
    run.waitUntilReading()
    try directory.append(old.map { $0 + "\n" }.joined(), to: "a.log")
    run.wait(forLines: old)
    try shell("cd \(directory.path); sed -i -e 1d -e '/password 5/d' a.log; echo new >> a.log")
    run.wait(forLines: old + ["new"])
    usleep(100_000)
    #expect(run.sink.texts.count == 1001)
  }

  /// What was in the log before reading began is not new either.
  @Test(arguments: Way.allCases) func whatWasThereBefore(way: Way) throws {
    try directory.write((0..<10).map { line($0) + "\n" }.joined(), to: "a.log")
    let run = try RunningReader([.files([directory("a.log")])])
    run.waitUntilReading()
    try write((1..<11).map(line), way)
    run.wait(forLines: [line(10)])
    run.stop()
    try directory.append(line(11) + "\n", to: "a.log")
    let second = try RunningReader([.files([directory("a.log")])], positions: run.sink.positions)
    second.wait(forLines: [line(11)])
    try write((3..<13).map(line), way)
    second.wait(forLines: [line(11), line(12)])
  }

  /// A log without stamps that is begun again may hold lines that it held before.
  @Test func aNewLogWithOldLinesIsReadWhole() throws {
    try directory.write("", to: "a.log")
    let run = try RunningReader([.files([directory("a.log")])])
    run.waitUntilReading()
    let first = ["started", "login failed from 192.0.2.1", "login failed from 192.0.2.2", "stopped"]
    try directory.append(first.map { $0 + "\n" }.joined(), to: "a.log")
    run.wait(forLines: first)
    let second = ["started", "login failed from 192.0.2.2"]
    try write(second, .rename)
    run.wait(forLines: first + second)
    try shell(": > \(directory("a.log"))")
    run.wait("the truncation") { run.reader.status()[0].truncations == 1 }
    try directory.append("started\n", to: "a.log")
    run.wait(forLines: first + second + ["started"])
  }
}
