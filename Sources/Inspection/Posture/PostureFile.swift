internal import Glibc
internal import JSON
public import Model
public import Settings
internal import System

/// Scores of earlier days and accepted risks, in `posture.json` in the state directory.
public struct PostureFile: Sendable, Codable {
  /// A failure that somebody decided to live with for a time.
  struct Accepted: Sendable, Codable {
    var check: PostureCheck.Code
    var reason: String
    var until: Instant
  }

  private var history: [PostureScore] = []
  private var accepted: [Accepted] = []

  /// Empty where there is no file yet.
  /// - Throws: `RequestError` for one that cannot be read.
  public static func read(state: String) throws(RequestError) -> PostureFile {
    let path = path(state)
    let bytes: [UInt8]
    do throws(SystemError) { bytes = try SmallFile.read(path) } catch {
      guard error.code != ENOENT else { return PostureFile() }
      throw RequestError(.failed, "\(path) cannot be read: \(SystemError.text(error.code))", remedy: "use sudo")
    }
    do { return try JSONInput.decode(PostureFile.self, from: bytes) } catch {
      throw RequestError(.failed, "\(path) is damaged: \(error)", remedy: "remove it; the history begins again")
    }
  }

  public func write(state: String) throws(RequestError) {
    do { try SmallFile.replace(Self.path(state), with: JSONOutput.line(of: self), mode: 0o600) } catch {
      throw RequestError(.failed, "\(Self.path(state)) cannot be written: \(SystemError.text(error.code))")
    }
  }

  private static func path(_ state: String) -> String { "\(state)/posture.json" }

  public mutating func accept(_ check: PostureCheck.Code, reason: String, until: Instant) {
    accepted.removeAll { $0.check == check }
    accepted.append(Accepted(check: check, reason: reason, until: until))
  }

  /// The reply, with this file's history and accepted risks.
  public func reply(_ checks: [PostureCheck], at now: Instant) -> PostureReply {
    let judged = checks.map { check in
      var check = check
      if check.state == .failed, let risk = accepted.first(where: { $0.check == check.check && $0.until > now }) {
        (check.state, check.reason, check.until) = (.accepted, risk.reason, risk.until)
      }
      return check
    }
    return PostureReply(checks: judged, history: history)
  }

  /// Keeps a score: the last of each day, for two years.
  public mutating func record(_ score: Int, at now: Instant) {
    let day: Int64 = 86_400
    if let last = history.last, last.time.seconds / day == now.seconds / day { history.removeLast() }
    history.append(PostureScore(time: now, score: score))
    if history.count > 731 { history.removeFirst(history.count - 731) }
  }
}

extension PostureReply {
  /// Looks at the machine now, with the earlier scores and accepted risks of the state directory. Takes some seconds.
  public init(_ settings: Settings, daemon: PostureFacts.Daemon?, at now: Instant) throws(RequestError) {
    let file = try PostureFile.read(state: settings.state)
    self = file.reply(
      Posture(PostureFacts.collect(daemon: daemon), Settings.Reading(settings: settings)).checks, at: now)
  }
}
