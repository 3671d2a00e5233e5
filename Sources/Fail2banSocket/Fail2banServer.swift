public import Pipeline
internal import Settings
internal import Synchronization
public import System

/// fail2ban's socket: its own client, and what was written for it, are answered about Bailiff's jails.
///
/// ```swift
/// let server = try Fail2banServer("/run/fail2ban/fail2ban.sock", daemon: daemon, limits: limits)
/// …
/// server.stop()
/// ```
public final class Fail2banServer: Sendable {
  private let listener: UnixListener
  private let daemon: Daemon
  private let limits: RuntimeLimits
  private let connections = Mutex(0)

  /// Connections beyond these are closed at once.
  static let mostConnections = 32
  /// Bytes of a request; the longest that fail2ban 1.0.2 sends with all of Debian's jails has 34,480.
  static let longestRequest = 4 << 20

  /// Listens at once, for root alone.
  public init(_ path: String, daemon: Daemon, limits: RuntimeLimits) throws(SystemError) {
    listener = try UnixListener(path, mode: 0o600)
    self.daemon = daemon
    self.limits = limits
    _ = ServiceThread("bailiff-f2b") { [weak self, listener] in
      while let connection = listener.accept() {
        guard let self else { return }
        self.begin(connection)
      }
    }
  }

  public func stop() { listener.stop() }

  private func begin(_ connection: consuming Descriptor) {
    let isFree = connections.withLock { count in
      guard count < Self.mostConnections else { return false }
      count += 1
      return true
    }
    guard isFree else { return }
    let held = Mutex<Descriptor?>(connection)
    _ = ServiceThread("bailiff-f2b-peer") { [self] in
      if let connection = held.withLock({ $0.take() }) { serve(connection) }
      connections.withLock { $0 -= 1 }
    }
  }

  private func serve(_ connection: consuming Descriptor) {
    connection.limitWaiting(seconds: 30)
    guard let user = connection.peerUser else { return }
    let commands = Fail2banCommands(daemon: daemon, limits: limits, uid: user)
    var framing = Framing()
    while let bytes = try? connection.read(), !bytes.isEmpty {
      framing.append(bytes)
      while let message = framing.next() {
        if message == Framing.close { return }
        guard (try? connection.write(Self.answer(message, commands) + Framing.end)) != nil else { return }
      }
      guard framing.waiting <= Self.longestRequest else { return }
    }
  }

  private static func answer(_ message: [UInt8], _ commands: Fail2banCommands) -> [UInt8] {
    do {
      let request = try PickleReader.read(message)
      // The thread is the connection's own, so it may wait for the thread that decides.
      let answer = Monitor<PickleValue?>(nil)
      Task {
        let result = await commands.respond(to: request)
        answer.change { $0 = result }
      }
      return PickleWriter.write(answer.wait { $0 } ?? .none)
    } catch {
      return Array("ERROR: \(error.message) (byte \(error.offset) of the request)".utf8)
    }
  }
}

/// Messages end with a text; there is no length.
struct Framing {
  static let end = Array("<F2B_END_COMMAND>".utf8)
  static let close = Array("<F2B_CLOSE_COMMAND>".utf8)

  private var bytes: [UInt8] = []
  /// Before this no end begins.
  private var searched = 0

  /// Bytes whose message is not whole yet.
  var waiting: Int { bytes.count }

  mutating func append(_ more: [UInt8]) { bytes += more }

  mutating func next() -> [UInt8]? {
    guard let range = bytes[searched...].firstRange(of: Self.end) else {
      searched = max(0, bytes.count - Self.end.count + 1)
      return nil
    }
    defer {
      bytes.removeSubrange(..<range.upperBound)
      searched = 0
    }
    return Array(bytes[..<range.lowerBound])
  }
}
