import Foundation
import TestSupport

/// A network namespace with a firewall of its own (and a mount namespace), which ends with the process that holds it.
final class TestNetwork {
  private let held: HeldNamespaces

  /// - Parameter setup: shell commands that are run inside first.
  init(_ setup: String = "") throws { held = try HeldNamespaces(.network, .mount, setup: setup) }

  /// What runs a program inside.
  var enter: [String] { held.enter }

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
