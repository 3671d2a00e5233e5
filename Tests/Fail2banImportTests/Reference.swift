import Foundation
import TestSupport
import Testing

/// fail2ban itself, as Debian's package installs it: its files and its own readers. These tests fail without it.
enum Reference {
  static let directory = "/etc/fail2ban"

  /// The names of a directory's filters, without `.conf`.
  static func filters(_ directory: String) throws -> [String] {
    let names = try FileManager.default.contentsOfDirectory(atPath: directory + "/filter.d")
    return names.filter { $0.hasSuffix(".conf") }.map { String($0.dropLast(5)) }.sorted()
  }

  /// Runs a Python script, which finds `fail2ban` where the package puts it; returns its standard output.
  static func python(_ script: String, _ arguments: [String] = []) throws -> Data {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/python3")
    process.arguments = ["-c", script] + arguments
    let output = Pipe()
    let errors = Pipe()
    process.standardOutput = output
    process.standardError = errors
    try process.run()
    // fail2ban writes little to standard error, less than a pipe holds.
    let data = output.fileHandleForReading.readDataToEndOfFile()
    let message = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    #expect(process.terminationStatus == 0, "python3: \(message)")
    return data
  }
}

extension TestDirectory {
  /// fail2ban's own directory, by links, so that files can be added beside the stock ones.
  func linkStock() throws {
    for name in try FileManager.default.contentsOfDirectory(atPath: Reference.directory) where name != "jail.d" {
      try FileManager.default.createSymbolicLink(
        atPath: path + "/" + name, withDestinationPath: Reference.directory + "/" + name)
    }
  }
}

/// `fixtures/fail2ban/…`.
func fixture(_ name: String) throws -> String {
  try String(contentsOfFile: fixturePath(name), encoding: .utf8)
}

func fixturePath(_ name: String) -> String {
  let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()
  return root.path + "/fixtures/fail2ban/" + name
}
