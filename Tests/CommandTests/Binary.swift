import Foundation

/// What the built program printed and how it ended.
struct Finished: Sendable {
  var status: Int32
  var output: String
  var error: String

  /// Standard output as JSON, an object a line.
  var objects: [[String: Any]] {
    get throws {
      try output.split(separator: "\n").map { line in
        guard let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any] else {
          throw CocoaError(.coderReadCorrupt)
        }
        return object
      }
    }
  }
}

/// The built `bailiff`, beside the tests.
enum Binary {
  static let path: String = {
    let tests = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
    return URL(fileURLWithPath: tests).deletingLastPathComponent().appending(path: "bailiff").path
  }()

  /// Runs it with no settings but those of `arguments`, in UTC.
  static func run(_ arguments: String..., environment: [String: String] = [:]) async throws -> Finished {
    try await run(arguments, environment: environment)
  }

  static func run(_ arguments: [String], environment: [String: String] = [:]) async throws -> Finished {
    try await Command.run([path] + arguments, environment: environment)
  }

  /// A shell line in which `bailiff` is the built program.
  static func shell(_ line: String, environment: [String: String] = [:]) async throws -> Finished {
    try await Command.run(
      ["/bin/bash", "-c", line],
      environment: environment.merging([
        "PATH": "\(URL(fileURLWithPath: path).deletingLastPathComponent().path):/usr/bin:/bin"
      ]) { $1 })
  }
}

enum Command {
  /// On a thread of its own: a test that blocks one of the pool's few threads may block the server that it waits for.
  static func run(_ command: [String], environment: [String: String] = [:]) async throws -> Finished {
    try await withCheckedThrowingContinuation { continuation in
      Thread.detachNewThread { continuation.resume(with: Result { try runAndWait(command, environment) }) }
    }
  }

  private static func runAndWait(_ command: [String], _ environment: [String: String]) throws -> Finished {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: command[0])
    process.arguments = Array(command.dropFirst())
    process.environment = ["TZ": "UTC", "PATH": "/usr/bin:/bin", "TERM": "xterm"].merging(environment) { $1 }
    let output = Pipe()
    let error = Pipe()
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = output
    process.standardError = error
    try process.run()
    // What is printed to standard error fits into a pipe.
    let text = output.fileHandleForReading.readDataToEndOfFile()
    let errors = error.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    let status = process.terminationReason == .exit ? process.terminationStatus : 128 + process.terminationStatus
    return Finished(
      status: status, output: String(decoding: text, as: UTF8.self), error: String(decoding: errors, as: UTF8.self))
  }
}
