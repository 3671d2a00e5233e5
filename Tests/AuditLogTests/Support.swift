import Foundation
import Model
import SQLite
import Testing

@testable import AuditLog

/// A directory that is removed with the test.
final class Scratch {
  let directory: String

  init() throws {
    directory = NSTemporaryDirectory() + "/bailiff-store-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: directory) }

  var path: String { directory + "/bailiff.db" }

  func store() throws -> AuditStore { try AuditStore(path: path) }
  func reader() throws -> AuditReader { try AuditStore.readOnly(path: path) }

  /// What another program would do to the file.
  func sql(_ text: String) throws {
    let database = try Database(path: path, .readWrite)
    try database.execute(text)
    database.close()
  }

  /// Asks with the `sqlite3` program, as an administrator would.
  func sqlite3(_ query: String) throws -> String {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/sqlite3")
    process.arguments = ["-readonly", path, query]
    let pipe = Pipe()
    process.standardOutput = pipe
    try process.run()
    let data = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    return String(decoding: data, as: UTF8.self).trimmingCharacters(in: .newlines)
  }
}

let names = Names(
  jails: ["sshd", "nginx"],
  patterns: [
    PatternName(filter: "sshd", name: "failed-password", file: "/etc/bailiff/filters/sshd.yaml"),
    PatternName(filter: "nginx", name: "auth", file: "/etc/bailiff/filters/nginx.yaml"),
  ], sources: ["/var/log/auth.log", "/var/log/nginx/error.log", "journal"])

/// 2026-11-20T10:40:00Z.
let start = Instant(seconds: 1_795_171_200)

struct Sample {
  var time = start
  var address = "192.0.2.7"
  var name = ""
  var user = "root"
  var line: String?
  var bytes: [UInt8]?
  var jail: UInt16 = 0
  var pattern: UInt32 = 0
  var source: UInt32 = 0
  var offset: UInt64 = 0
  var cursor = ""
  var count: UInt32 = 1
  var weight: UInt32 = 1

  var text: String {
    line ?? "Nov 20 10:40:00 web sshd[812]: Failed password for \(user) from \(address) port 4711 ssh2"
  }
}

extension FailureBatch {
  init(_ samples: [Sample], positions: [SourcePosition] = []) {
    self.init()
    for sample in samples { add(sample) }
    self.positions = positions
  }

  mutating func add(_ sample: Sample) {
    var failure = Failure(
      time: sample.time, address: sample.name.isEmpty ? Address(sample.address)! : Address(bits: 0), jail: sample.jail,
      pattern: sample.pattern, source: sample.source)
    failure.user = store(Array(sample.user.utf8).span)
    let line = sample.bytes ?? Array(sample.text.utf8)
    failure.line = store(line.span)
    failure.name = store(Array(sample.name.utf8).span)
    failure.cursor = store(Array(sample.cursor.utf8).span)
    failure.offset = sample.offset
    failure.count = sample.count
    failure.weight = sample.weight
    append(failure)
  }
}

func ban(
  _ id: String, at time: Instant = start, for span: TimeSpan? = .hours(1), jail: String = "sshd", count: Int = 3,
  number: Int = 1, action: Decision.Action = .ban, cause: Decision.Cause = .limit
) -> Decision {
  Decision(
    action: action, jail: jail, identity: Identity(id), time: time, until: span.map { time.adding($0) }, count: count,
    number: number, cause: cause)
}

func seconds(_ count: Int64) -> TimeSpan { .seconds(count) }

func filePosition(_ offset: UInt64) -> SourcePosition {
  SourcePosition(
    source: "/var/log/auth.log",
    position: .file(FileIdentity(device: 7, inode: 9, fingerprint: .max, fingerprintLength: 256), offset: offset))
}
