import Foundation
import Matching
import Testing

@testable import Settings

struct CheckTests {
  /// Every pattern that does not compile is named at its place, and takes its jail out; the others stay.
  @Test func patternsThatDoNotCompile() throws {
    let directory = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString).path
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: directory) }
    let filter = """
      patterns:
        - {name: open, match: '^a (<host>'}
        - {name: fine, match: '^b <host>'}
        - {name: nobody, match: '^c .*'}
      ignore:
        - {name: star, match: '*'}
      samples:
        - {line: 'b 192.0.2.7', expect: {pattern: fine, host: 192.0.2.7}}
      """
    try Data(filter.utf8).write(to: URL(filePath: "\(directory)/odd.yaml"))
    let reading = readText(
      "jails: {a: {filter: \(directory)/odd.yaml}, b: {filter: sshd}, c: {source: bans}, d: {filter: \(directory)/odd.yaml}}"
        .replacing("/odd.yaml", with: "/odd.yaml, logpath: /tmp/x"))
    #expect(reading.errors.isEmpty)
    let checked = reading.compilingFilters(samples: false)
    #expect(checked.settings.jails.map(\.name) == ["b", "c"])
    #expect(checked.brokenJails == ["a", "d"])
    #expect(checked.errors.map { [$0.place.line, $0.place.column] } == [[2, 25], [4, 27], [6, 25]])
    #expect(checked.errors.allSatisfy { $0.place.file == "\(directory)/odd.yaml" && $0.jail == "a" })
    #expect(checked.errors[0].message.contains("`open`"))
    let strict = reading.compilingFilters(samples: true)
    #expect(strict.errors.filter { $0.message.hasSuffix("has no sample") }.map(\.place.line) == [2, 4])
  }

  @Test func goodFiltersStay() {
    let reading = FixtureTests.read("full.good.yml")
    let checked = reading.compilingFilters(samples: true)
    #expect(checked.errors.map(\.description) == [])
    #expect(checked.settings == reading.settings)
  }
}
