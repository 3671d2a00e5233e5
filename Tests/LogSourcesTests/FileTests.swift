import Foundation
import LogSources
import Model
import Testing

@Suite struct FileTests {
  let directory = TemporaryDirectory()

  @Test func readsWhatIsThereAndWhatComes() throws {
    try directory.write("one\ntwo\r\nhalf", to: "a.log")
    let run = try RunningReader([.files([directory("a.log")], start: .beginning)])
    run.wait(forLines: ["one", "two\r"])
    try directory.append(" line\nthree\n", to: "a.log")
    run.wait(forLines: ["one", "two\r", "half line", "three"])
    let status = try #require(run.reader.status().first)
    #expect(status.lines == 4 && status.bytes == 25 && status.lag == 0 && status.tooLong == 0)
    guard case .file(_, offset: 25) = status.position else {
      Issue.record("position: \(String(describing: status.position))")
      return
    }
  }

  @Test func startsAtTheEndWithTheLineThatHasNotEnded() throws {
    try directory.write("old\nhalf", to: "a.log")
    let run = try RunningReader([.files([directory("a.log")])])
    run.waitUntilReading()
    try directory.append(" line\nnew\n", to: "a.log")
    run.wait(forLines: ["half line", "new"])
  }

  @Test func renameAndCreate() throws {
    try directory.write("1\n", to: "a.log")
    let run = try RunningReader([.files([directory("a.log")], start: .beginning)])
    run.wait(forLines: ["1"])
    let old = try LogWriter(directory("a.log"))
    try directory.rename("a.log", "a.log.1")
    try old.write("2\n")
    try directory.write("3\n", to: "a.log")
    run.wait(forLines: ["1", "2", "3"])
    try old.write("4\n")
    run.wait(forLines: ["1", "2", "3", "4"])
    #expect(run.reader.status().count == 1)
    #expect(run.reader.status()[0].rotations == 1 && run.reader.status()[0].losses == 0)
  }
}
