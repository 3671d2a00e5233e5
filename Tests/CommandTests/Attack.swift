import Foundation
import Model
import Synchronization

/// A log of failed logins that is written and rotated while the test does something else. Every line has a user of its own.
final class Attack: Sendable {
  enum Rotation: Sendable {
    case rename, copyTruncate
    /// As `rename`, and at the next rotation it is compressed (logrotate's `delaycompress`).
    case compress
  }

  struct Written: Sendable {
    var lines: [String] = []
    var rotations = 0
    var problem: String?
  }

  private let directory: String
  private let rotation: Rotation
  private let seed: UInt64
  private let state = Mutex(Written())
  private let isEnding = Mutex(false)
  private let ended = DispatchSemaphore(value: 0)

  init(in directory: String, rotation: Rotation, seed: UInt64) throws {
    self.directory = directory
    self.rotation = rotation
    self.seed = seed
    try Data().write(to: URL(fileURLWithPath: log))
  }

  var log: String { directory + "/auth.log" }

  /// Writes `count` lines at once.
  func write(_ count: Int) throws {
    let file = try LogFile(log)
    for _ in 0..<count { try file.write(next(random: 0)) }
  }

  func start() { Thread.detachNewThread { [self] in run() } }

  func stop() -> Written {
    isEnding.withLock { $0 = true }
    ended.wait()
    return state.withLock { $0 }
  }

  private func next(random: UInt64) -> String {
    state.withLock { state in
      let number = state.lines.count
      // A few addresses fail often, most seldom: some are banned, some are not.
      let address = random % 4 == 0 ? Int(random / 4 % 20) : 20 + number % 900
      let line =
        "\(Attack.now()) web sshd[812]: Failed password for invalid user u\(number) from 198.51.\(100 + address / 250)."
        + "\(1 + address % 250) port \(1024 + number % 60000) ssh2\n"
      state.lines.append(line)
      return line
    }
  }

  private static func compress(_ path: String) throws {
    let gzip = Process()
    gzip.executableURL = URL(fileURLWithPath: "/usr/bin/gzip")
    gzip.arguments = [path]
    try gzip.run()
    gzip.waitUntilExit()
    guard gzip.terminationStatus == 0 else { throw CocoaError(.fileWriteUnknown) }
  }

  /// As rsyslog writes it.
  static func now() -> String { Instant(epoch: Date().timeIntervalSince1970).rfc3339() }

  private func run() {
    defer { ended.signal() }
    do {
      var random = Random(state: seed)
      var files = [try LogFile(log)]
      while !isEnding.withLock({ $0 }) {
        let line = next(random: random.next() >> 8)
        // Sometimes in two pieces, and sometimes still into the file that was renamed away.
        let file = files.count > 1 && random.next() % 4 != 0 ? files[0] : files[files.count - 1]
        if random.next() % 5 == 0 {
          let cut = line.utf8.count / 2
          try file.write(String(line.prefix(cut)))
          if random.next() % 4 == 0 { usleep(500) }
          try file.write(String(line.dropFirst(cut)))
        } else {
          try file.write(line)
        }
        if random.next() % 6 == 0 { usleep(UInt32(random.next() % 8000)) }
        if files.count > 1, random.next() % 20 == 0 { files.removeFirst() }
        guard random.next() % 300 == 0 else { continue }
        try rotate(&files, gap: random.next() % 3 == 0)
      }
    } catch {
      state.withLock { $0.problem = "\(error)" }
    }
  }

  /// Nothing is thrown away, so nothing may be lost. With a `gap` there is no log for a while.
  private func rotate(_ files: inout [LogFile], gap: Bool) throws {
    let rotations = state.withLock { state in
      state.rotations += 1
      return state.rotations
    }
    for number in stride(from: rotations - 1, to: 0, by: -1) {
      for suffix in ["", ".gz"] where FileManager.default.fileExists(atPath: "\(log).\(number)\(suffix)") {
        try FileManager.default.moveItem(
          atPath: "\(log).\(number)\(suffix)", toPath: "\(log).\(number + 1)\(suffix)")
      }
    }
    switch rotation {
    case .rename, .compress:
      if rotation == .compress, rotations > 1 {
        // Nobody writes to it any more.
        files.removeFirst(files.count - 1)
        try Attack.compress("\(log).2")
      }
      try FileManager.default.moveItem(atPath: log, toPath: log + ".1")
      if gap { usleep(20_000) }
      files.append(try LogFile(log))
    case .copyTruncate:
      try FileManager.default.copyItem(atPath: log, toPath: log + ".1")
      // Safe: truncate(2) reads the path during the call.
      _ = unsafe truncate(log, 0)
    }
  }
}

/// An open log, as a daemon holds it.
final class LogFile {
  private let descriptor: Int32

  init(_ path: String) throws {
    // Safe: open(2) reads the path during the call.
    descriptor = unsafe open(path, O_WRONLY | O_APPEND | O_CREAT, 0o600)
    if descriptor < 0 { throw CocoaError(.fileWriteUnknown) }
  }

  deinit { close(descriptor) }

  func write(_ text: String) throws {
    let bytes = Array(text.utf8)
    // Safe: write(2) reads the bytes during the call.
    guard unsafe Glibc.write(descriptor, bytes, bytes.count) == bytes.count else { throw CocoaError(.fileWriteUnknown) }
  }
}

/// splitmix64.
struct Random {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
