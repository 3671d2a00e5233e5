import Foundation
import TestSupport
import Testing

/// What standard output is, and what happens when it goes away.
@Suite(.timeLimit(.minutes(2))) struct TerminalTests {
  private func log(_ scratch: TestDirectory, lines: Int) throws -> String {
    let line = "Nov 21 05:24:01 web sshd[812]: Failed password for root from 192.0.2.7 port 4711 ssh2\n"
    return try scratch.write("auth.log", String(repeating: line, count: lines))
  }

  @Test func aReaderThatLeavesIsNoError() async throws {
    let scratch = try TestDirectory()
    let file = try log(scratch, lines: 20_000)
    let head = try await Binary.shell(
      "bailiff filter test sshd \(file) --json | head -n 1; echo ${PIPESTATUS[0]}")
    #expect(head.output.split(separator: "\n").count == 2)
    #expect(head.output.hasSuffix("\n0\n"))
    #expect(head.error.isEmpty)
  }

  @Test func aFullDiskIsSaid() async throws {
    let scratch = try TestDirectory()
    let full = try await Binary.shell("bailiff filter test sshd \(try log(scratch, lines: 3)) --json > /dev/full")
    #expect(full.status == 1)
    #expect(full.error == "bailiff: cannot write to standard output: No space left on device\n")
  }

  /// script(1) gives the program a terminal of 60 columns.
  private func onTerminal(_ daemon: Daemon, _ environment: [String: String] = [:]) async throws -> String {
    try await Binary.shell(
      "script -qec 'stty cols 60; bailiff status --config \(daemon.config)' /dev/null", environment: environment
    ).output.replacing("\r\n", with: "\n")
  }

  @Test func colourIsForTerminals() async throws {
    let daemon = try await Daemon()
    #expect(try await onTerminal(daemon).contains("\u{1b}[1m"))
    #expect(try await !onTerminal(daemon, ["NO_COLOR": "1"]).contains("\u{1b}"))
    #expect(try await !onTerminal(daemon, ["TERM": "dumb"]).contains("\u{1b}"))
    await daemon.stop()
  }

  @Test func tablesFitTheTerminal() async throws {
    let daemon = try await Daemon()
    let text = try await onTerminal(daemon, ["NO_COLOR": "1"])
    let table = text.split(separator: "\n").drop { !$0.hasPrefix("JAIL") }
    #expect(table.count >= 2)
    for line in table { #expect(line.count <= 60, "\(line)") }
    await daemon.stop()
  }

  /// After a second of work somebody who looks on is told how far it is, and nothing of that is left in the end.
  @Test func longWorkSaysHowFarItIs() async throws {
    let scratch = try TestDirectory()
    let file = try log(scratch, lines: 2_000)
    let replay = "(cat \(file); sleep 1.5; cat \(file)) | bailiff replay - > \(scratch.path)/out"
    let shown = try await Binary.shell("script -qec '\(replay)' /dev/null").output
    #expect(shown.contains("\r\u{1b}[Kstandard input: "))
    #expect(shown.contains(" MiB read"))
    #expect(shown.hasSuffix("\r\u{1b}[K"))
    #expect(try !String(contentsOfFile: scratch.path + "/out", encoding: .utf8).contains("\u{1b}"))
    let redirected = try await Binary.shell(replay)
    #expect(redirected.error.isEmpty)
  }
}
