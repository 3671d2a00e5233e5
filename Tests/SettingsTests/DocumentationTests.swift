import Filters
import Foundation
import TestSupport
import Testing

@testable import Settings

/// `docs/settings.md` is held to the code: its examples are read, and every key is in it.
struct DocumentationTests {
  static let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..").standardizedFileURL

  static func page() throws -> String {
    try String(contentsOf: root.appending(path: "docs/settings.md"), encoding: .utf8)
  }

  /// The examples in the page, in their order.
  static func examples() throws -> [String] {
    try page().components(separatedBy: "```yaml\n").dropFirst().map { $0.components(separatedBy: "```")[0] }
  }

  @Test func examplesAreRight() throws {
    let files = try TestDirectory("documentation")
    let directory = files.path
    defer { withExtendedLifetime(files) {} }
    let examples = try Self.examples()
    let filters = examples.filter { $0.hasPrefix("# /etc/bailiff/filters/") }
    #expect(filters.count == 2 && examples.count >= 6)
    for text in filters {
      let name = text.prefix { $0 != "\n" }.split(separator: "/").last!
      let path = "\(directory)/\(name)"
      try Data(text.utf8).write(to: URL(filePath: path))
      #expect(try FilterFile.load(path: path).problems.isEmpty)
    }
    for text in examples where !text.hasPrefix("# /etc/bailiff/filters/") {
      let path = "\(directory)/bailiff.yaml"
      try Data(text.utf8).write(to: URL(filePath: path))
      let reading = Settings.read(
        path: path, fail2banFilter: { _, _ in Fail2banFilterTests.definition },
        builtin: [directory, Self.root.appending(path: "filters").path])
      #expect(reading.errors.map(\.description) == [])
      #expect(!reading.settings.jails.isEmpty)
    }
  }

  @Test func everyKeyIsDocumented() throws {
    let page = try Self.page()
    let keys =
      Keys.all + Keys.firewall + Keys.synLimit + Keys.staticRule + Keys.retention + Keys.jail + Keys.increment
      + Keys.escalation
      + Keys.filter
    for key in keys.names { #expect(page.contains("`\(key)`"), "no word about \(key)") }
  }

  /// The filters that come with the program can be read, and each pattern has a sample.
  @Test func shippedFilters() {
    let library = FilterLibrary(directories: [Self.root.appending(path: "filters").path], builtin: [])
    let (filters, errors) = library.all()
    #expect(errors.map(\.description) == [])
    #expect(filters.flatMap(\.problems).map(\.description) == [])
    #expect(filters.contains { $0.name == "sshd" })
  }
}
