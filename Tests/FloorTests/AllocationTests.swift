import Foundation
import Testing

/// The built program, its allocations counted from outside: twice as many lines may not take more of them.
@Suite(.timeLimit(.minutes(3))) struct AllocationTests {
  private let directory = FileManager.default.temporaryDirectory.path + "/bailiff-floors-\(UUID().uuidString.prefix(8))"

  @Test(arguments: [
    (#"Nov  5 06:51:16 web systemd-logind[612]: New session 4711 of user deploy."#, false),
    // Holds what several patterns need, and is matched by none.
    (#"Nov  5 06:51:16 web sshd[4716]: Failed password for alice from nowhere port 59861 ssh2"#, true),
  ])
  func linesThatDoNotMatchAllocateNothing(_ line: String, _ isCandidate: Bool) throws {
    let floors = try Floors.read()
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: directory) }
    try run([
      "/usr/bin/env", "cc", "-O1", "-shared", "-fPIC", "-o", directory + "/count.so",
      Floors.root + "/fixtures/floors/count-allocations.c",
    ])
    let lines = 20_000
    let floor =
      isCandidate ? floors.allocationsPerThousandUnmatchedCandidates : floors.allocationsPerThousandUnmatchedLines
    var least = Int.max
    // What threads allocate that wait for each other depends on the machine's load; what a line allocates does not.
    for _ in 0..<3 where least > floor * lines / 1000 {
      let few = try allocations(of: line, times: lines)
      #expect(few > 100, "the allocations were not counted")
      least = min(least, try allocations(of: line, times: 2 * lines) - few)
    }
    #expect(least <= floor * lines / 1000, "\(least) allocations for \(lines) more lines")
  }

  private func allocations(of line: String, times: Int) throws -> Int {
    let log = directory + "/log"
    let count = directory + "/count"
    try? FileManager.default.removeItem(atPath: count)
    try Data(String(repeating: line + "\n", count: times).utf8).write(to: URL(fileURLWithPath: log))
    let config = """
      state: \(directory)/state
      socket: \(directory)/socket
      filters: [\(Floors.root)/filters]
      firewall: {backend: dry-run}
      jails:
        sshd: {filter: sshd, logpath: [\(log)], backend: files}
      """
    try Data(config.utf8).write(to: URL(fileURLWithPath: directory + "/bailiff.yaml"))
    let tests = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    let bailiff = URL(fileURLWithPath: tests).deletingLastPathComponent().appending(path: "bailiff").path
    let output = try run(
      [bailiff, "replay", "--json", "--config", directory + "/bailiff.yaml", log],
      environment: ["LD_PRELOAD": directory + "/count.so", "ALLOCATIONS": count])
    try #require(output.contains("\"lines\":\(times)"), "\(output)")
    try #require(output.contains("\"failures\":0"), "\(output)")
    return try #require(Int(try String(contentsOfFile: count, encoding: .utf8)))
  }

  @discardableResult
  private func run(_ command: [String], environment: [String: String] = [:]) throws -> String {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: command[0])
    process.arguments = Array(command.dropFirst())
    process.environment = ["TZ": "UTC", "PATH": "/usr/bin:/bin"].merging(environment) { $1 }
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    try #require(process.terminationStatus == 0, "\(command): \(process.terminationStatus)")
    return text
  }
}
