import Foundation
import LogSources
import Testing

@Suite struct StandardInputTests {
  /// The reader ends by itself when its only source has; a last line without LF is a line.
  @Test func readsAPipeToItsEnd() throws {
    let pipe = Pipe()
    let before = dup(STDIN_FILENO)
    #expect(dup2(pipe.fileHandleForReading.fileDescriptor, STDIN_FILENO) == STDIN_FILENO)
    defer {
      dup2(before, STDIN_FILENO)
      close(before)
    }
    let run = try RunningReader([.standardInput])
    try pipe.fileHandleForWriting.write(contentsOf: Data("1\n2".utf8))
    run.wait(forLines: ["1"])
    try pipe.fileHandleForWriting.write(contentsOf: Data("2\nlast".utf8))
    try pipe.fileHandleForWriting.close()
    run.wait(forLines: ["1", "22", "last"])
    run.wait("the end") { run.reader.status().first?.state == .ended }
    #expect(run.reader.status()[0].lines == 3 && run.reader.status()[0].bytes == 9)
  }
}
