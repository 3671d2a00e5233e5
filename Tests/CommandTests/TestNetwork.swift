import Foundation

/// A network namespace with a firewall of its own (and a mount namespace), which ends with the process that holds it.
final class TestNetwork {
  private let holder = Process()
  private let input = Pipe()

  /// - Parameter setup: shell commands that are run inside first.
  init(_ setup: String = "true") throws {
    let output = Pipe()
    holder.executableURL = URL(fileURLWithPath: "/usr/bin/unshare")
    holder.arguments = [
      "--net", "--mount", "--propagation", "private", "/bin/sh", "-c", "set -e\n\(setup)\necho ready\nexec cat",
    ]
    holder.environment = ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin"]
    // When this process ends, so does `cat`, and the namespaces are gone.
    holder.standardInput = input
    holder.standardOutput = output
    try holder.run()
    guard output.fileHandleForReading.availableData == Data("ready\n".utf8) else { throw CocoaError(.fileReadUnknown) }
  }

  deinit {
    try? input.fileHandleForWriting.close()
    holder.waitUntilExit()
  }

  /// What runs a program inside.
  var enter: [String] { ["/usr/bin/nsenter", "-t", "\(holder.processIdentifier)", "-n", "-m"] }

  /// The addresses in the kernel's sets, in order.
  func banned() throws -> [String] {
    let ipset = Process()
    ipset.executableURL = URL(fileURLWithPath: enter[0])
    ipset.arguments = enter.dropFirst() + ["/usr/sbin/ipset", "save"]
    let output = Pipe()
    ipset.standardOutput = output
    ipset.standardError = FileHandle.nullDevice
    try ipset.run()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    ipset.waitUntilExit()
    return text.split(separator: "\n").filter { $0.hasPrefix("add ") }.map { String($0.split(separator: " ")[2]) }
      .sorted()
  }
}
