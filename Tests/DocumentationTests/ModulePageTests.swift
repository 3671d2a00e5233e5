import Foundation
import Testing

/// Each module opens with a page of its own (`Sources/NAME/NAME.docc/NAME.md`), whose example compiles.
@Suite struct ModulePageTests {
  static let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..").standardizedFileURL

  /// Modules of Swift; those of C (`CSQLite`) are a header each. The executable's page is `bailiff --help`.
  static let modules: [String] = {
    let sources = root.appending(path: "Sources").path(percentEncoded: false)
    let names = (try? FileManager.default.contentsOfDirectory(atPath: sources)) ?? []
    return names.filter { name in
      name != "bailiff" && !FileManager.default.fileExists(atPath: "\(sources)/\(name)/module.modulemap")
    }.sorted()
  }()

  private static func page(_ module: String) throws -> String {
    try String(contentsOf: root.appending(path: "Sources/\(module)/\(module).docc/\(module).md"), encoding: .utf8)
  }

  @Test(arguments: modules) func aModuleOpensWithAPage(_ module: String) throws {
    let page = try Self.page(module)
    #expect(page.hasPrefix("# ``\(module)``\n\n"), "the page names the module")
    #expect(page.contains("\n## Overview\n"))
    #expect(page.contains("```swift\nimport "), "the page has an example")
  }

  /// All examples at once, against the modules that the tests were built from.
  @Test func theExamplesCompile() throws {
    let tests = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    let built = URL(filePath: tests).deletingLastPathComponent()
    let directory = FileManager.default.temporaryDirectory.appending(path: "bailiff-pages-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: directory) }

    var files: [String] = []
    for module in Self.modules {
      for (number, example) in Self.examples(in: try Self.page(module)).enumerated() {
        let file = directory.appending(path: "\(module)\(number).swift")
        try Self.source(example, named: "\(module)\(number)").write(to: file, atomically: true, encoding: .utf8)
        files.append(file.path(percentEncoded: false))
      }
    }
    try #require(files.count >= Self.modules.count)

    let compiler = Process()
    let output = Pipe()
    compiler.executableURL = URL(filePath: "/usr/bin/env")
    compiler.arguments  // As a part of this package, whose name is its directory's.
    =
      ["swiftc", "-typecheck", "-swift-version", "6", "-package-name", Self.root.lastPathComponent.lowercased()]
      + ["-I", built.appending(path: "Modules").path(percentEncoded: false)] + (try Self.moduleMaps(built)) + files
    compiler.standardOutput = output
    compiler.standardError = output
    try compiler.run()
    let said = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    compiler.waitUntilExit()
    #expect(compiler.terminationStatus == 0, "\(said)")
  }

  private static func examples(in page: String) -> [Substring] {
    page.components(separatedBy: "```swift\n").dropFirst().map {
      $0.prefix(upTo: $0.range(of: "```")?.lowerBound ?? $0.endIndex)
    }
  }

  /// The statements of an example inside a function, its imports before it.
  private static func source(_ example: Substring, named name: String) -> String {
    let lines = example.split(separator: "\n", omittingEmptySubsequences: false)
    let imports = lines.filter { $0.hasPrefix("import ") }
    let body = lines.filter { !$0.hasPrefix("import ") }
    return imports.joined(separator: "\n") + "\n\nfunc example\(name)() async throws {\n" + body.joined(separator: "\n")
      + "\n}\n"
  }

  /// Where the compiler finds the C modules: ours, and those of packages.
  private static func moduleMaps(_ built: URL) throws -> [String] {
    let files = FileManager.default
    var flags: [String] = []
    let sources = root.appending(path: "Sources")
    for name in try files.contentsOfDirectory(atPath: sources.path(percentEncoded: false)) {
      let directory = sources.appending(path: name).path(percentEncoded: false)
      if files.fileExists(atPath: directory + "/module.modulemap") { flags += ["-I", directory] }
    }
    // A package's C target brings its own map, or SwiftPM has made one.
    let packages = built.appending(path: "../../checkouts").standardizedFileURL.path(percentEncoded: false)
    var maps = try files.contentsOfDirectory(atPath: built.path(percentEncoded: false))
      .filter { $0.hasSuffix(".build") }.map { built.path(percentEncoded: false) + "/\($0)/module.modulemap" }
    for package in try files.contentsOfDirectory(atPath: packages) {
      let targets = (try? files.contentsOfDirectory(atPath: "\(packages)/\(package)/Sources")) ?? []
      maps += targets.map { "\(packages)/\(package)/Sources/\($0)/include/module.modulemap" }
    }
    for map in maps where files.fileExists(atPath: map) { flags += ["-Xcc", "-fmodule-map-file=\(map)"] }
    return flags
  }
}
