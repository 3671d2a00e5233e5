import Foundation

/// What a shell line printed, standard error too, and how it ended.
public enum Shell {
  public struct Finished: Sendable {
    public var status: Int32
    public var text: String
  }

  /// Runs it with bash, on a thread of its own: a test that blocks one of the pool's few threads may block the server
  /// that it waits for.
  public static func run(_ line: String) async throws -> Finished {
    try await withCheckedThrowingContinuation { continuation in
      Thread.detachNewThread { continuation.resume(with: Result { try runBlocking(line) }) }
    }
  }

  public static func runBlocking(_ line: String) throws -> Finished {
    let process = Process()
    process.executableURL = URL(filePath: "/bin/bash")
    process.arguments = ["-c", line]
    process.environment = ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"]
    process.standardInput = FileHandle.nullDevice
    let output = Pipe()
    process.standardOutput = output
    process.standardError = output
    try process.run()
    let text = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return Finished(status: process.terminationStatus, text: String(decoding: text, as: UTF8.self))
  }

  public static func quoted(_ text: String) -> String { "'" + text.replacing("'", with: "'\\''") + "'" }
}
