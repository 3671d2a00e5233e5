import Foundation

/// A server of fixtures/outputs, in Python: what Bailiff sends to goes through a real network to a program that is not ours.
public final class Receiver: Sendable {
  public let directory: String
  private let process: Process

  public static let fixtures = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "../../fixtures/outputs").standardizedFileURL.path

  public struct NotStarted: Error, CustomStringConvertible {
    public var description: String
  }

  /// Python as the system has it, with the packages that the tests need.
  public static let python = "/usr/bin/python3"

  /// Waits until it listens. `port` 0 is a free one.
  public init(_ script: String, _ arguments: [String] = [], port: Int = 0, directory: String? = nil) throws {
    self.directory = directory ?? FileManager.default.temporaryDirectory.path + "/bailiff-receiver-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: self.directory, withIntermediateDirectories: true)
    try? FileManager.default.removeItem(atPath: self.directory + "/port")
    process = Process()
    process.executableURL = URL(filePath: Self.python)
    process.arguments = ["\(Self.fixtures)/\(script)", self.directory] + arguments
    process.environment = ["PORT": "\(port)", "PATH": "/usr/bin:/bin", "PYTHONDONTWRITEBYTECODE": "1"]
    process.standardInput = FileHandle.nullDevice
    try process.run()
    let end = Date() + 60
    while self.port == 0 {
      guard process.isRunning, Date() < end else { throw NotStarted(description: "\(script) does not listen") }
      Thread.sleep(forTimeInterval: 0.02)
    }
  }

  deinit {
    stop()
    try? FileManager.default.removeItem(atPath: directory)
  }

  public func stop() {
    guard process.isRunning else { return }
    kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
  }

  public var port: Int { (try? String(contentsOfFile: directory + "/port", encoding: .utf8)).flatMap { Int($0) } ?? 0 }

  /// What it does with the next requests.
  public func answer(_ answers: String...) throws {
    try (answers.joined(separator: "\n") + "\n").write(
      toFile: directory + "/answers", atomically: true, encoding: .utf8)
  }

  /// What came, in order.
  public var seen: [[String: Any]] {
    let text = (try? String(contentsOfFile: directory + "/seen", encoding: .utf8)) ?? ""
    return text.split(separator: "\n").compactMap {
      (try? JSONSerialization.jsonObject(with: Data($0.utf8))) as? [String: Any]
    }
  }

  /// Its bodies as JSON.
  public var bodies: [[String: Any]] {
    seen.compactMap {
      ($0["body"] as? String).flatMap { try? JSONSerialization.jsonObject(with: Data($0.utf8)) } as? [String: Any]
    }
  }

  /// Waits until `condition` holds for what came; false when it does not within a minute.
  public func waits(_ condition: ([[String: Any]]) -> Bool) -> Bool {
    let end = Date() + 60
    while !condition(seen) {
      guard Date() < end else { return false }
      Thread.sleep(forTimeInterval: 0.02)
    }
    return true
  }

  /// A directory with certificates of an authority that nobody else trusts.
  public static let certificates: String = {
    let path = FileManager.default.temporaryDirectory.path + "/bailiff-certificates-\(UUID().uuidString)"
    try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    let process = Process()
    process.executableURL = URL(filePath: python)
    process.arguments = ["\(fixtures)/certificates.py", path]
    try? process.run()
    process.waitUntilExit()
    atexit { try? FileManager.default.removeItem(atPath: Receiver.certificates) }
    return path
  }()
}
