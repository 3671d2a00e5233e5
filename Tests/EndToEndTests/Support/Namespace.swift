import Foundation
import Testing

/// A machine of its own, as far as tests can tell: network, mounts and processes. It ends with everything that runs in it
/// when its first process does, which reads a pipe of the tests: whatever becomes of them, nothing is left behind.
final class Namespace: Sendable {
  /// Its first process, as this machine numbers it.
  let first: Int32
  private let holder: Int32
  private let input: FileHandle

  init() async throws {
    let pipe = Pipe()
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/unshare")
    process.arguments = [
      "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--propagation", "private", "/bin/cat",
    ]
    process.standardInput = pipe
    process.standardOutput = FileHandle.nullDevice
    try process.run()
    let holder = process.processIdentifier
    var found = ""
    do {
      // Its child is inside as soon as it has become cat.
      try await poll("the namespaces; the tests make some of their own: run them as root") {
        try #require(process.isRunning, "the tests make network namespaces: run them as root")
        found = try await Shell.run(
          """
          read -r p _ </proc/\(holder)/task/\(holder)/children; [ "$(cat /proc/$p/comm)" = cat ] && echo $p
          """
        ).text.trimmingCharacters(in: .whitespacesAndNewlines)
        return Int32(found) != nil
      }
    } catch {
      kill(holder, SIGKILL)
      throw error
    }
    (first, self.holder, input) = (try #require(Int32(found)), holder, pipe.fileHandleForWriting)
    try await run("ip link set lo up")
  }

  deinit {
    kill(first, SIGKILL)
    kill(holder, SIGKILL)
    try? input.close()
  }

  /// What comes before a program's name so that it runs inside.
  var enter: [String] { ["/usr/bin/nsenter", "--target", "\(first)", "--net", "--mount", "--pid"] }

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

/// Waits until `condition` holds, and fails when it does not in all that time.
func poll(
  _ what: String, seconds: Double = 60, every: Duration = .milliseconds(50),
  sourceLocation: SourceLocation = #_sourceLocation, until condition: () async throws -> Bool
) async throws {
  let end = Date() + seconds
  while try await !condition() {
    try #require(Date() < end, "not within \(seconds) s: \(what)", sourceLocation: sourceLocation)
    try await Task.sleep(for: every)
  }
}
