import Glibc
import System
import Testing

@Suite struct ProgramTests {
  @Test func whatAProgramPrintsAndHowItEnds() throws {
    let cat = try #require(Program.find("cat"))
    let large = String(repeating: "0123456789\n", count: 200_000)
    #expect(try Program(path: cat, arguments: []).run(input: large).output == large)
    let shell = try #require(Program.find("sh"))
    let result = try Program(path: shell, arguments: ["-c", "echo out; echo err >&2; exit 3"]).run()
    #expect(result.status == 3 && result.output == "out\n" && result.errors == "err\n")
    #expect(try Program(path: shell, arguments: ["-c", "kill -9 $$"]).run().status == 137)
    #expect(try Program(path: shell, arguments: ["-c", "echo $LC_ALL $HOME"]).run().output == "C\n")
  }

  @Test func aProgramThatDoesNotEndIsStopped() throws {
    let sleep = try #require(Program.find("sleep"))
    let late = #expect(throws: SystemError.self) {
      try Program(path: sleep, arguments: ["60"]).run(deadline: 0.2)
    }
    #expect(late?.code == ETIMEDOUT)
    let flood = #expect(throws: SystemError.self) {
      try Program(path: "/usr/bin/yes", arguments: []).run(deadline: 60)
    }
    #expect(flood?.code == EFBIG)
    let none = #expect(throws: SystemError.self) { try Program(path: "/nonexistent", arguments: []).run() }
    #expect(none?.description == "cannot run /nonexistent: No such file or directory")
  }

  @Test func theChildGetsThreeDescriptorsOnly() throws {
    let extra = try Descriptor.memoryFile("extra")
    let isOpen = extra.isOpen
    #expect(isOpen)
    let result = try Program(path: "/bin/ls", arguments: ["/proc/self/fd"]).run()
    // The fourth is ls's own, of the directory.
    #expect(result.output == "0\n1\n2\n3\n")
  }
}

@Suite struct PrintableTests {
  @Test(arguments: [
    ("root", "root"), ("a\u{1b}[31mb", "a\\x1b[31mb"), ("a\u{202E}b", "a\\u{202e}b"), ("a\u{200B}b", "a\\u{200b}b"),
    ("a\u{2066}b", "a\\u{2066}b"), ("a\u{FEFF}b", "a\\u{feff}b"), ("a\u{AD}b", "a\\xadb"),
    ("a\u{3164}b", "a\\u{3164}b"),
    ("é日本", "é日本"), ("a\nb", "a\\x0ab"), ("a\u{E0041}b", "a\\u{e0041}b"),
  ])
  func whatSteersATerminalIsWritten(text: String, shown: String) { #expect(printable(text) == shown) }
}
