import Foundation
import Testing

@testable import Settings

/// `fixtures/settings`: good files have no errors; each bad one has exactly the messages of the `.txt` beside it.
struct FixtureTests {
  static let directory = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../fixtures/settings")
    .standardizedFileURL.path

  static func files(_ suffix: String) -> [String] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
    return names.filter { $0.hasSuffix(suffix) }.sorted()
  }

  static func read(_ file: String) -> Settings.Reading {
    Settings.read(path: "\(directory)/\(file)", builtin: ["\(directory)/filters"])
  }

  @Test func thereAreFixtures() {
    #expect(Self.files(".good.yml").count >= 4)
    #expect(Self.files(".bad.yml").count >= 20)
  }

  @Test(arguments: files(".good.yml")) func good(file: String) {
    let reading = Self.read(file)
    #expect(reading.errors.map(\.description) == [])
    #expect(!reading.settings.jails.isEmpty)
  }

  @Test(arguments: files(".bad.yml")) func bad(file: String) throws {
    let expected = try String(contentsOfFile: "\(Self.directory)/\(file.dropLast(4)).txt", encoding: .utf8)
    let found = Self.read(file).errors.map {
      $0.description.replacing("\(Self.directory)/", with: "") + "\n"
    }
    #expect(!found.isEmpty)
    #expect(found.joined() == expected)
    // One line each, whatever the file holds.
    #expect(found.allSatisfy { $0.dropLast().unicodeScalars.allSatisfy { $0.value >= 32 && $0.value != 127 } })
  }
}
