import Foundation
import Model
import Testing

@testable import LogSources

/// What container runtimes put around lines, as Docker 20.10 and 28.5 and conmon 2.1 write it.
@Suite struct EnvelopeTests {
  let directory = TemporaryDirectory()
  static let stamp = "2026-11-28T08:52:34.849386859Z"

  static func docker(_ text: String, _ stream: String = "stderr", _ attrs: String = "") -> String {
    "{\"log\":\"\(text)\",\"stream\":\"\(stream)\"\(attrs),\"time\":\"\(stamp)\"}\n"
  }

  private func decode(_ text: String, started: @escaping () -> Instant? = { nil }) throws -> [String] {
    let bytes = Array(text.utf8)
    let envelope = Envelope(head: bytes.span)
    let decoder = RecordDecoder(try #require(envelope), started: started)
    decoder.decode(bytes.span, at: 100)
    #expect(decoder.payload.count { $0 == 10 } == decoder.count)
    // By bytes: a CR and an LF are one character.
    return decoder.payload.split(separator: 10).map { String(decoding: $0, as: UTF8.self) }
  }

  @Test func dockersEscapes() throws {
    let lines = try decode(
      Self.docker(#"user=\u003cx\u003e \u0026 y\n"#)
        + Self.docker(#"a \"quoted\" \\ path\t\u001b[0m\ufffd\u0000 ü €\r\n"#)
        + Self.docker("labels\\n", "stdout", #","attrs":{"a":"\",\"time\":\"x"}"#))
    #expect(
      lines == ["user=<x> & y", "a \"quoted\" \\ path\t\u{1b}[0m\u{fffd}\0 ü €\r", "labels"])
  }

  /// What a program writes into its line is no key.
  @Test func nobodyWritesAKey() throws {
    let forged = #"x\",\"stream\":\"stdout\",\"time\":\"2020-01-01T00:00:00Z\"}\n"#
    let bytes = Array(Self.docker(forged).utf8)
    let decoder = RecordDecoder(.docker)
    decoder.decode(bytes.span, at: 0)
    #expect(decoder.count == 1)
    #expect(decoder.time(of: 0) == Instant(rfc3339: Self.stamp))
    #expect(String(decoding: decoder.payload, as: UTF8.self).hasPrefix(#"x","stream":"stdout""#))
  }

  @Test func dockersPartsAreJoined() throws {
    let part = String(repeating: "a", count: DockerRecord.cut)
    // Escapes and bytes that were no UTF-8 count as what the program wrote.
    let escaped = String(repeating: #"\u003c"#, count: DockerRecord.cut - 2) + #"\ufffd\ufffd"#
    let lines = try decode(
      Self.docker(part) + Self.docker("of the other\\n", "stdout") + Self.docker("end\\n") + Self.docker(escaped)
        + Self.docker("2\\n") + Self.docker("tail") + Self.docker("first of the next run\\n"))
    #expect(lines.map(\.utf8.count) == [12, DockerRecord.cut + 3, DockerRecord.cut + 5, 4, 21])
    #expect(lines[0] == "of the other" && lines[1].hasSuffix("aend") && lines[3] == "tail")
  }

  @Test func partsOfCRIAreJoined() throws {
    func record(_ second: String, _ stream: String, _ tag: String, _ text: String) -> String {
      "2026-11-28T08:55:\(second).995723479+00:00 \(stream) \(tag) \(text)\n"
    }
    let text =
      record("40", "stdout", "P", "abc") + record("40", "stderr", "F", "between") + record("41", "stdout", "F", "def")
      + record("42", "stdout", "F:more", "tags") + record("43", "stdout", "P", "tail")
      + record("45", "stdout", "F", "new run")
      + record("45", "stdout", "F", "")
    #expect(try decode(text) == ["between", "abcdef", "tags", "tailnew run"])
    // conmon made its socket anew at 08:55:44.
    let started = Instant(rfc3339: "2026-11-28T08:55:44.5Z")
    #expect(try decode(text, started: { started }) == ["between", "abcdef", "tags", "tail", "new run"])
  }

  @Test func linesAreWhereTheirRecordsAre() throws {
    let part = String(repeating: "a", count: DockerRecord.cut)
    let records = [Self.docker("one\\n"), Self.docker(part), Self.docker("two\\n", "stdout"), Self.docker("end\\n")]
    let bytes = Array(records.joined().utf8)
    let decoder = RecordDecoder(.docker)
    decoder.decode(bytes.span, at: 1000)
    let second = UInt64(1000 + records[0].utf8.count)
    #expect(decoder.offset(of: 0) == 1000)
    #expect(decoder.offset(of: 4) == second + UInt64(records[1].utf8.count))
    // Of a joined line: of its first part.
    #expect(decoder.offset(of: 8) == second)
  }

  @Test(arguments: ["{\"log\":1}", "2026-11-28 08:55:40 stdout F x", "Nov 28 04:35:01 web sshd[1]: x", "", "{}"])
  func otherLogsHaveNone(line: String) {
    let bytes = Array(line.utf8)
    let envelope = Envelope(head: bytes.span)
    #expect(envelope == nil)
  }

  @Test func recordsThatAreNoneAreLinesAsTheyAre() throws {
    #expect(
      try decode(Self.docker("one\\n") + "{\"log\":\"torn\n" + Self.docker("two\\n")) == [
        "one", "{\"log\":\"torn", "two",
      ])
  }

  // MARK: In files

  @Test func aFileIsReadThroughItsEnvelope() throws {
    try directory.write(Self.docker("1\\n"), to: "x-json.log")
    let run = try RunningReader([.files([directory("x-json.log")], start: .beginning)])
    run.wait(forLines: ["1"])
    // 16,384 bytes, six for one each: a record of 98 kB.
    let escaped = String(repeating: #"\u003c"#, count: DockerRecord.cut)
    try directory.append(Self.docker(escaped), to: "x-json.log")
    try directory.append(Self.docker("end\\n"), to: "x-json.log")
    try directory.append(Self.docker("2\\n"), to: "x-json.log")
    run.wait("three lines") { run.sink.texts.count == 3 }
    #expect(run.sink.texts[1] == String(repeating: "<", count: DockerRecord.cut) + "end" && run.sink.texts[2] == "2")
    run.wait("records that are one line count once") { run.reader.status()[0].lines == 3 }
  }

  /// A restart between two parts: what was delivered is not delivered again, and the line is whole.
  @Test func partsAreJoinedOverARestart() throws {
    let part = String(repeating: "a", count: DockerRecord.cut)
    try directory.write(Self.docker(part) + Self.docker("other\\n", "stdout"), to: "x-json.log")
    let spec = SourceSpec.files([directory("x-json.log")], start: .beginning)
    let first = try RunningReader([spec])
    first.wait(forLines: ["other"])
    first.stop()
    let second = try RunningReader([spec], positions: first.sink.positions)
    second.waitUntilReading()
    try directory.append(Self.docker("end\\n") + Self.docker("2\\n", "stdout"), to: "x-json.log")
    second.wait(forLines: [part + "end", "2"])
    second.stop()
    // Whoever begins at the end does not take a line's rest for a line.
    try directory.append(Self.docker(part), to: "x-json.log")
    let third = try RunningReader([.files([directory("x-json.log")])])
    third.waitUntilReading()
    try directory.append(Self.docker("Failed password\\n") + Self.docker("3\\n", "stdout"), to: "x-json.log")
    third.wait(forLines: [part + "Failed password", "3"])
  }

  @Test func aLineGoesOnInTheNextFile() throws {
    let part = String(repeating: "a", count: DockerRecord.cut)
    try directory.write(Self.docker("1\\n") + Self.docker(part), to: "x-json.log")
    let run = try RunningReader([.files([directory("x-json.log")], start: .beginning)])
    run.wait(forLines: ["1"])
    try directory.rename("x-json.log", "x-json.log.1")
    try directory.write(Self.docker("end\\n") + Self.docker("2\\n"), to: "x-json.log")
    run.wait(forLines: ["1", part + "end", "2"])
  }
}
