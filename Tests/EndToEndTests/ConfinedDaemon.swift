import Foundation
import TestSupport
import Testing

/// The daemon's files: settings that only root may read, a log that only root may read, and directories that are its own.
final class Files: Sendable {
  static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "../..").standardized
    .path
  static let unit = "\(root)/systemd/bailiff.service"
  static let confine = "\(root)/fixtures/systemd/confine.py"
  /// The built program, beside the tests.
  static let bailiff: String = {
    let tests = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
    return URL(fileURLWithPath: tests).deletingLastPathComponent().appending(path: "bailiff").path
  }()
  /// confine.py's user.
  static let user = 61234

  private let directory: TestDirectory
  var path: String { directory.path }

  init() throws {
    directory = try TestDirectory("confined")
    let manager = FileManager.default
    try manager.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
    for directory in ["state", "run"] {
      try manager.createDirectory(atPath: "\(path)/\(directory)", withIntermediateDirectories: true)
      try manager.setAttributes([.ownerAccountID: Self.user], ofItemAtPath: "\(path)/\(directory)")
    }
    try manager.createDirectory(
      atPath: "\(path)/log", withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    try Self.write("", to: log)
    try writeSettings(bantime: "1h", jails: ["sshd"])
  }

  var log: String { "\(path)/log/auth.log" }
  var config: String { "\(path)/bailiff.yaml" }

  func writeSettings(bantime: String, jails: [String]) throws {
    let text = """
      state: \(path)/state
      socket: \(path)/run/bailiff.sock
      filters: [\(Self.root)/filters]
      defaults: {maxretry: 3, findtime: 10m, bantime: \(bantime), port: all, backend: files}
      jails:
      \(jails.map { "  \($0): {filter: sshd, logpath: [\(log)]}" }.joined(separator: "\n"))

      """
    try Self.write(text, to: config)
  }

  /// For its owner, root, alone.
  private static func write(_ text: String, to path: String) throws {
    guard
      FileManager.default.createFile(
        atPath: path, contents: Data(text.utf8), attributes: [.posixPermissions: 0o600])
    else { throw CocoaError(.fileWriteUnknown) }
  }

  /// Three failed logins, now.
  func fail(from address: String) throws {
    let formatter = DateFormatter()
    formatter.locale = Locale(identifier: "en_US_POSIX")
    formatter.dateFormat = "yyyy-MM-dd'T'HH:mm:ssXXXXX"
    let now = formatter.string(from: Date())
    let lines = (1...3).map {
      "\(now) srv sshd[71\($0)]: Failed password for root from \(address) port 4000\($0) ssh2\n"
    }
    let file = try FileHandle(forWritingTo: URL(fileURLWithPath: log))
    try file.seekToEnd()
    try file.write(contentsOf: Data(lines.joined().utf8))
    try file.close()
  }

  /// The ids that the daemon says are banned in the kernel. Root asks; the daemon is somebody else.
  func bans() async throws -> [String] {
    let done = try await Shell.run("\(Self.bailiff) bans --json --config \(config)")
    return try done.text.split(separator: "\n").compactMap { line in
      let ban = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
      return ban?["applied"] as? Bool == true ? ban?["id"] as? String : nil
    }
  }

  func waitForDaemon(_ daemon: Process) async throws {
    try await poll("the daemon") {
      guard daemon.isRunning else { throw CocoaError(.featureUnsupported) }
      return try await Shell.run("\(Self.bailiff) status --config \(self.config)").status != 3
    }
  }
}

/// A server's network and a client's, each held by a process of its own, so that nothing is left when the test ends.
final class TwoNetworks: Sendable {
  let attacker = "10.77.0.2"
  let neighbour = "10.77.0.3"
  private let server: HeldNamespaces
  private let client: HeldNamespaces

  init() async throws {
    server = try HeldNamespaces(.network)
    client = try HeldNamespaces(.network)
    try await onServer("ip link add vs type veth peer name vc netns \(client.first)")
    try await onServer("ip addr add 10.77.0.1/24 dev vs && ip link set vs up && ip link set lo up")
    for address in [attacker, neighbour] { try await onClient("ip addr add \(address)/24 dev vc") }
    try await onClient("ip link set vc up")
  }

  @discardableResult
  func onServer(_ line: String) async throws -> String { try await run(line, in: server) }

  @discardableResult
  func onClient(_ line: String) async throws -> String { try await run(line, in: client) }

  private func run(_ line: String, in namespace: HeldNamespaces) async throws -> String {
    let done = try await Shell.run("\(namespace.enter.joined(separator: " ")) bash -c \(Shell.quoted(line))")
    try #require(done.status == 0, "\(line): \(done.text)")
    return done.text
  }

  /// Does the server answer this address? Nobody listens there, so an answer is a refusal; a dropped packet has none.
  func reaches(from address: String) async throws -> Bool {
    let program = """
      import socket
      s = socket.socket(); s.settimeout(1); s.bind(("\(address)", 0))
      try: s.connect(("10.77.0.1", 22))
      except ConnectionRefusedError: print("refused")
      except TimeoutError: print("silence")
      """
    let answer = try await onClient("python3 -c \(Shell.quoted(program))")
    try #require(["refused\n", "silence\n"].contains(answer))
    return answer == "refused\n"
  }

  /// The daemon in the server's network, under the unit's restrictions. What it says goes where the tests' own goes.
  func startConfined(_ files: Files, allowsJIT: Bool) throws -> Process {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: server.enter[0])
    let confined: [String] =
      ["python3", Files.confine, Files.unit] + (allowsJIT ? ["--set", "MemoryDenyWriteExecute=no"] : [])
    let writable: [String] = ["--write", "\(files.path)/state", "--write", "\(files.path)/run", "--"]
    let daemon: [String] = [Files.bailiff, "run", "--quiet", "--config", files.config]
    process.arguments = Array(server.enter.dropFirst()) + confined + writable + daemon
    process.standardInput = FileHandle.nullDevice
    try process.run()
    return process
  }
}
