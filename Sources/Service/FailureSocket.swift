internal import API
internal import Glibc
internal import JSON
internal import Model
internal import Pipeline
internal import Settings
internal import Synchronization
internal import System

/// The datagram socket on which programs report failures: an object of JSON each, `{"jail": "shop", "id": "192.0.2.7"}`. The kernel
/// says who sends (unix(7), SCM_CREDENTIALS); whoever has bound an address of its own is answered.
final class FailureSocket: Sendable {
  private let listener: DatagramListener
  private let daemon: Daemon
  private let log: RunLog
  /// When it was last said that a user is not listened to.
  private let refused = Mutex<[UInt32: Instant]>([:])

  init(_ path: String, daemon: Daemon, log: RunLog) throws(SystemError) {
    listener = try DatagramListener(path, mode: 0o666)
    self.daemon = daemon
    self.log = log
    _ = ServiceThread("bailiff-reports") { [weak self, listener] in
      while let datagram = listener.receive() {
        guard let self else { return }
        listener.answer(datagram, self.answer(datagram))
      }
    }
  }

  func stop() { listener.stop() }

  /// One after the other: who sends faster than is decided waits in send(2).
  private func answer(_ datagram: DatagramListener.Datagram) -> [UInt8] {
    let answer = Monitor<[UInt8]?>(nil)
    Task {
      let bytes: [UInt8]
      do { bytes = JSONOutput.line(of: try await count(datagram)) } catch {
        let error = error as? RequestError ?? RequestError(.failed, "the daemon could not do it")
        bytes = JSONOutput.line(of: ErrorReply(error: error))
      }
      answer.change { $0 = bytes }
    }
    return answer.wait { $0 } ?? []
  }

  private func count(_ datagram: DatagramListener.Datagram) async throws -> FailureReply {
    guard !datagram.isTooLong else {
      throw RequestError(.invalid, "the report is larger than \(DatagramListener.largest) bytes")
    }
    let request = try FailureRequest.decode(datagram.bytes)
    let user = Accounts.userName(datagram.uid) ?? "\(datagram.uid)"
    guard admits(datagram, user, jail: request.jail) else {
      sayRefused(datagram.uid, user, request.jail)
      throw RequestError(
        .notPermitted, "user \(user) may not report for jail \(printable(request.jail))",
        remedy: "name it in `failures: {allow: {\(user): [JAIL]}}`")
    }
    return try await FailureReply(daemon, request, from: "uid \(datagram.uid) (\(user))")
  }

  private func admits(_ datagram: DatagramListener.Datagram, _ user: String, jail: String) -> Bool {
    if datagram.uid == 0 || datagram.uid == geteuid() { return true }
    guard let failures = daemon.settings.failures else { return false }
    return failures.admits(user: user, groups: Accounts.groups(ofUser: user, primary: datagram.gid), jail: jail)
  }

  private func sayRefused(_ uid: UInt32, _ user: String, _ jail: String) {
    let now = SystemClock.now()
    let isNew = refused.withLock { refused in
      if let last = refused[uid], now.since(last) < .minutes(10), now >= last { return false }
      if refused.count >= 1000 { refused.removeAll() }
      refused[uid] = now
      return true
    }
    if isNew { log.warning("failures: user \(user) reports for jail \(jail) and is not in `allow`; not counted") }
  }
}
