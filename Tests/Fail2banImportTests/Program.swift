import Foundation
import TestSupport
import Testing

/// The built `bailiff`, beside the tests, reading a log under one of fail2ban's filters.
enum Program {
  /// A failure as `bailiff filter test --json` prints it.
  struct Failure: Decodable {
    var id: String
    var host: String
    var time: Double
    var attempts: Int
    var users: [String]?
    /// Every other text: `user`, `ip4`, `dns` and what else the filter captures.
    var texts: [String: String] = [:]

    private struct Key: CodingKey {
      var stringValue: String
      var intValue: Int? { nil }
      init(stringValue: String) { self.stringValue = stringValue }
      init?(intValue: Int) { nil }
    }

    init(from decoder: any Decoder) throws {
      let members = try decoder.container(keyedBy: Key.self)
      func value<T: Decodable>(_ name: String, _ type: T.Type = T.self) throws -> T {
        try members.decode(type, forKey: Key(stringValue: name))
      }
      (id, host, time) = (try value("id"), try value("host"), try value("time"))
      attempts = try value("attempts")
      users = try members.decodeIfPresent([String].self, forKey: Key(stringValue: "users"))
      for key in members.allKeys { texts[key.stringValue] = try? members.decode(String.self, forKey: key) }
    }
  }

  struct Line: Decodable {
    var line: Int
    var result: String
    var failures: [Failure]
  }

  /// - Parameters:
  ///   - filter: a `.conf`.
  ///   - now: as RFC 3339.
  static func test(
    _ filter: String, _ lines: [String], options: [String: String], now: String, timezone: String, isDated: Bool = true
  ) throws -> [Line] {
    let directory = try TestDirectory()
    let log = try directory.write("log", lines.map { $0 + "\n" }.joined())
    let tests = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
    let process = Process()
    process.executableURL = URL(fileURLWithPath: tests).deletingLastPathComponent().appending(path: "bailiff")
    process.arguments =
      ["filter", "test", filter, log, "--json", "--now", now, "--timezone", timezone]
      + (isDated ? [] : ["--no-timestamps"])
      + options.sorted { $0.key < $1.key }.flatMap { ["--option", "\($0.key)=\($0.value)"] }
    let (output, errors) = (Pipe(), directory.path + "/errors")
    _ = FileManager.default.createFile(atPath: errors, contents: nil)
    process.standardOutput = output
    process.standardError = try FileHandle(forWritingTo: URL(fileURLWithPath: errors))
    try process.run()
    let data = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    let said = try String(contentsOfFile: errors, encoding: .utf8)
    try #require(process.terminationStatus == 0 && said.isEmpty, "\(filter) \(options): \(said)")
    let found = try data.split(separator: 10).map { try JSONDecoder().decode(Line.self, from: $0) }
    try #require(found.map(\.line) == Array(1...lines.count), "\(filter) \(options): not one object a line")
    return found
  }
}
