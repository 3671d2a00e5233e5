import Filters
import Foundation
import System
import TestSupport
import Testing

@testable import Settings

/// Whatever is in a file, reading it ends, soon, with one line an error.
struct HostileInputTests {
  @Test func tooLarge() {
    let reading = readText(String(repeating: "# a\n", count: 300_000))
    #expect(reading.errors.map(\.message) == ["is larger than 1 MiB"])
  }

  @Test func deepNesting() {
    for text in [String(repeating: "[", count: 500_000), String(repeating: "a: {", count: 200_000)] {
      #expect(!readText(text).errors.isEmpty)
    }
  }

  @Test func manyErrors() {
    let keys = (0..<20_000).map { "k\($0): 1\n" }.joined()
    #expect(readText(keys + "jails: {a: {filter: sshd}}").errors.count == 20_000)
  }

  @Test func manyDuplicates() {
    let reading = readText(String(repeating: "state: /a\n", count: 1000))
    #expect(reading.errors.filter { $0.message.contains("given twice") }.count == 999)
  }

  /// The same key, written in two ways.
  @Test func duplicateInDisguise() {
    let reading = readText("{state: /a, \"st\\x61te\": /b}")
    #expect(reading.errors.map(\.message).contains("`state` is given twice, first in line 1"))
  }

  @Test func byteOrderMarkAndLineEnds() {
    let reading = readText("\u{FEFF}jails:\r\n  sshd:\r\n    filter: sshd\r\n    maxretry: x\r\n")
    #expect(reading.errors.map { [$0.place.line, $0.place.column] } == [[4, 15]])
  }

  /// Bytes of good and bad files, changed, cut and doubled at places that a fixed generator chooses.
  @Test func mutations() throws {
    var random = Numbers(state: 0x5EED)
    let files = FixtureTests.files(".yml") + ["filters/sshd.yaml", "filters/nginx-probe.yaml", "filters/broken.yaml"]
    let seeds = try files.map { try Data(contentsOf: URL(filePath: "\(FixtureTests.directory)/\($0)")) }
    let marks = Array("\t\n\r\0{}[]:,'\"&*!|>%@`#-? \u{85}\u{2028}".utf8) + [0xFF, 0xC3, 0xED, 0xF4]
    for _ in 0..<1500 {
      var bytes = Array(seeds.randomElement(using: &random)!)
      for _ in 0..<Int.random(in: 1...6, using: &random) {
        let index = Int.random(in: 0...bytes.count, using: &random)
        switch Int.random(in: 0..<4, using: &random) {
        case 0: bytes.insert(marks.randomElement(using: &random)!, at: index)
        case 1: if index < bytes.count { bytes[index] = marks.randomElement(using: &random)! }
        case 2: bytes.removeSubrange(index..<min(bytes.count, index + Int.random(in: 0...20, using: &random)))
        default:
          let end = min(bytes.count, index + Int.random(in: 0...40, using: &random))
          bytes.insert(contentsOf: Array(bytes[index..<end]), at: index)
        }
      }
      guard let text = String(validating: bytes, as: UTF8.self) else { continue }
      let problems = Problems()
      var reader = SettingsReader(
        file: "mutation.yaml", problems: problems, fail2banFilter: nil,
        builtin: ["\(FixtureTests.directory)/filters"],
        machine: Settings.Machine(hasFile: { _ in true }, hasJournal: true))
      reader.read(Document.parse(text, file: "mutation.yaml", problems))
      var errors = problems.errors
      do {
        errors += try FilterFile.parse(text, file: "mutation.yaml").problems
      } catch {
        #expect(!error.errors.isEmpty)
        errors += error.errors
      }
      for error in errors {
        #expect(!error.description.unicodeScalars.contains(where: isUnprintable))
        #expect(error.place.line > 0 || !error.message.isEmpty)
      }
      #expect(!problems.errors.isEmpty || !reader.settings.jails.isEmpty)
    }
  }
}
