import Fail2banImport
import Fail2banMatching
import Foundation
import Matching
import Model

/// A filter of fail2ban's, of any content, is refused with a reason or translated; what is translated compiles or says why
/// not, and what compiles can be run.
enum Fail2banFuzz {
  /// A directory of its own, so that what is included is not there.
  private static let directory: String = {
    let path = NSTemporaryDirectory() + "bailiff-fuzz-fail2ban-\(ProcessInfo.processInfo.processIdentifier)"
    try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    atexit { try? FileManager.default.removeItem(atPath: Fail2banFuzz.directory) }
    return path
  }()

  private static let file = ScratchFile(directory + "/fuzz.conf")

  static func run(_ input: [UInt8]) {
    if let text = String(validating: input, as: UTF8.self) { _ = try? ConfigurationFile(text: text, path: "fuzz.conf") }
    file.replace(with: input)
    guard
      let definition = try? FilterTranslation.loadFilter(path: file.path, options: ["mode": "aggressive"]),
      let filter = try? Filter(definition)
    else { return }
    let set = FilterSet([filter])
    var clock = LogClock(now: Instant(seconds: 1_795_000_000))
    let lines = Array(
      """
      Nov 21 05:24:01 web sshd[812]: Failed password for root from 192.0.2.7 port 4711 ssh2
      2026-11-21 05:24:01,123 192.0.2.8 - - "GET / HTTP/1.1" 401

      """.utf8)
    set.scan(lines.span, clock: &clock, history: LineHistory()) { _, _, _ in }
  }
}
