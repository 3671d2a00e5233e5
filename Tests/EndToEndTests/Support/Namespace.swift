import Foundation
import TestSupport
import Testing

/// A machine of its own, as far as tests can tell: network, mounts and processes. It ends with everything that runs in it
/// when the tests do.
final class Namespace: Sendable {
  private let held: HeldNamespaces
  /// Its first process, as this machine numbers it.
  var first: Int32 { held.first }

  init() async throws {
    held = try HeldNamespaces(.network, .mount, .pid)
    try await run("ip link set lo up")
  }

  /// What comes before a program's name so that it runs inside.
  var enter: [String] { held.enter }

  /// Runs a shell line inside.
  func attempt(_ line: String) async throws -> Shell.Finished {
    try await Shell.run("\(enter.joined(separator: " ")) bash -c \(Shell.quoted(line))")
  }

  /// Runs a shell line that must succeed; returns what it printed.
  @discardableResult
  func run(_ line: String, sourceLocation: SourceLocation = #_sourceLocation) async throws -> String {
    let done = try await attempt(line)
    try #require(done.status == 0, "\(line): \(done.text)", sourceLocation: sourceLocation)
    return done.text
  }

  /// Starts a shell line inside, which goes on until it ends by itself or everything does.
  func start(_ line: String) throws -> Process {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: enter[0])
    process.arguments = enter.dropFirst() + ["bash", "-c", line]
    process.environment = ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"]
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    try process.run()
    return process
  }
}
