import Foundation

/// Namespaces of one's own (unshare(1)), which end with the process that holds them: that reads a pipe of the tests, so
/// nothing is left behind, whatever becomes of these.
public final class HeldNamespaces: Sendable {
  public enum Kind: String, Sendable {
    case network = "net"
    case mount, pid
  }

  public struct NotMade: Error, CustomStringConvertible {
    public var description: String { "the tests make namespaces of their own: run them as root" }
  }

  /// Its first process, as this machine numbers it.
  public let first: Int32
  private let kinds: [Kind]
  private let holder: Int32
  private let input: FileHandle

  /// - Parameter setup: lines of sh(1) that are run inside first.
  public init(_ kinds: Kind..., setup: String = "") throws {
    let (process, input, output) = (Process(), Pipe(), Pipe())
    process.executableURL = URL(filePath: "/usr/bin/unshare")
    var options = kinds.map { "--\($0.rawValue)" }
    if kinds.contains(.mount) { options += ["--propagation", "private"] }
    if kinds.contains(.pid) { options += ["--fork", "--kill-child", "--mount-proc"] }
    // The shell that holds them says who it is in the numbers of /proc, which --mount-proc would hide.
    process.arguments = options + ["/bin/sh", "-c", "set -e\n\(setup)\necho ready\nexec cat >/dev/null"]
    process.environment = ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"]
    process.standardInput = input
    process.standardOutput = output
    try process.run()
    guard output.fileHandleForReading.availableData == Data("ready\n".utf8) else {
      process.terminate()
      throw NotMade()
    }
    self.kinds = kinds
    self.input = input.fileHandleForWriting
    holder = process.processIdentifier
    first = kinds.contains(.pid) ? try Self.child(of: holder) : holder
  }

  deinit {
    try? input.close()
    kill(first, SIGKILL)
    kill(holder, SIGKILL)
  }

  private static func child(of process: Int32) throws -> Int32 {
    let children = try String(contentsOfFile: "/proc/\(process)/task/\(process)/children", encoding: .ascii)
    guard let first = children.split(separator: " ").first.flatMap({ Int32($0) }) else { throw NotMade() }
    return first
  }

  /// What comes before a program's name so that it runs inside. With `pid`, nsenter(1) forks: a signal to it is none to the
  /// program.
  public var enter: [String] {
    ["/usr/bin/nsenter", "--target", "\(first)"] + kinds.map { "--\($0.rawValue)" }
  }
}
