internal import Glibc
public import Model
public import Settings
internal import System

/// Settings as they were before `bailiff setup --go-live --confirm`, until somebody says that they can still get in.
///
/// While the copy is there, nobody has: whoever is told to undo puts it back. `keep` removes it.
public struct LockoutUndo: Sendable {
  /// The copy, in the directory of the audit.
  public let file: String
  private let settings: Settings

  public init(_ settings: Settings) {
    self.settings = settings
    file = (settings.state.hasSuffix("/") ? settings.state : settings.state + "/") + "before-go-live.tar.gz"
  }

  public var isWaiting: Bool { (try? FileStatus.of(path: file)) != nil }

  public func prepare(version: String, now: Instant) throws {
    _ = try Backup.write(to: file, of: settings, version: version, now: now, audit: false)
  }

  public func keep() throws {
    let unit = unit
    try SmallFile.remove(file)
    // A timer that is left finds nothing to undo.
    guard let unit, let systemctl = Program.find("systemctl") else { return }
    _ = try? Program(path: systemctl, arguments: ["stop", "\(unit).timer"]).run()
  }

  /// When the copy was made, which names one go-live: what was to undo an earlier one that was kept must not undo a later.
  public var stamp: Int? { (try? FileStatus.of(path: file))?.modified }

  private var unit: String? { stamp.map { "bailiff-undo-\($0)" } }

  /// Returns the files that are as they were again.
  public func putBack(now: Instant) throws -> [String] {
    let restore = try Restore(file)
    _ = try restore.putBack(settings: true, audit: false, now: now)
    try keep()
    return restore.changes
  }

  /// Has this program run with `setup --undo` after so many seconds, whatever becomes of this terminal.
  /// - Parameters:
  ///   - restart: what restarts the daemon, where systemd does not.
  ///   - isSystemd: does systemd run the daemon? Then a timer of its own waits, else a process of its own session.
  public func schedule(config: String, restart: String?, seconds: Int64, isSystemd: Bool) throws {
    let undo =
      [Self.real("/proc/self/exe"), "setup", "--undo", "--of", "\(stamp ?? 0)", "--config", Self.real(config)]
      + (restart.map { ["--restart", $0] } ?? [])
    if isSystemd, let unit {
      try Self.run("systemd-run", ["--unit=\(unit)", "--on-active=\(seconds)s", "--collect", "--quiet", "--"] + undo)
    } else {
      // Its output is closed, or this would wait for it.
      let line =
        #"exec </dev/null >/dev/null 2>&1; seconds=$1; shift; exec setsid --fork sh -c 'sleep "$0"; exec "$@"' "$seconds" "$@""#
      try Self.run("sh", ["-c", line, "sh", "\(seconds)"] + undo)
    }
  }

  /// The full path without links, since systemd starts it somewhere else.
  private static func real(_ path: String) -> String {
    // Safe: with nil, realpath(3) allocates the text, which is copied and freed here.
    guard let text = unsafe realpath(path, nil) else { return path }
    defer { unsafe free(text) }
    return unsafe String(cString: text)
  }

  private static func run(_ name: String, _ arguments: [String]) throws {
    let path = Program.find(name) ?? name
    let result = try Program(path: path, arguments: arguments).run()
    guard result.status == 0 else {
      throw RequestError(
        .failed, "\(name): \(result.errors.split(separator: "\n").joined(separator: "; "))",
        remedy: "go live without --confirm, from the machine's console")
    }
  }
}
