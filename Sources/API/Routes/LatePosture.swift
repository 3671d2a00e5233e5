import Inspection
import Model
import Synchronization

/// How the machine was when somebody last looked.
final class LatePosture: Sendable {
  private let last = Mutex<(reply: PostureReply, made: Instant)?>(nil)

  private static let age = TimeSpan.minutes(1)

  /// What is known, or what `look` finds; meanwhile others who ask wait for it.
  func posture(at now: Instant, _ look: (Instant) throws -> PostureReply) throws -> PostureReply {
    try last.withLock { known in
      if let known, now >= known.made, now.since(known.made) < Self.age { return known.reply }
      let reply = try look(now)
      known = (reply, now)
      return reply
    }
  }
}
