public import Model
internal import Settings
internal import Synchronization
internal import System

/// How an output is doing, for `status` and `/metrics`.
public struct OutputStatus: Sendable, Equatable {
  public var name: String
  public var type: String
  /// Since the start.
  public var messages = 0
  public var events = 0
  /// Tries that did not succeed.
  public var refused = 0
  /// Events that were given up.
  public var dropped = 0
  public var lastDelivery: Instant?
  /// What came back last, when that was an error.
  public var problem: String?
}

/// What an output has done, kept across reloads.
final class OutputCounters: Sendable {
  private let state: Mutex<OutputStatus>
  private let say: @Sendable (OutputNotice) -> Void

  init(name: String, type: String, say: @escaping @Sendable (OutputNotice) -> Void) {
    state = Mutex(OutputStatus(name: name, type: type))
    self.say = say
  }

  var status: OutputStatus { state.withLock { $0 } }

  func delivered(events: Int, at now: Instant) {
    let wasRefused = state.withLock { state in
      defer { state.problem = nil }
      state.messages += 1
      state.events += events
      state.lastDelivery = now
      return state.problem != nil
    }
    if wasRefused { say(.recovered(status.name)) }
  }

  func refused(_ problem: String, at now: Instant) {
    let isNew = state.withLock { state in
      defer { state.problem = problem }
      state.refused += 1
      return state.problem == nil
    }
    if isNew { say(.refused(status.name, problem)) }
  }

  func dropped(_ events: Int, because error: DeliveryError, keep: TimeSpan, at now: Instant) {
    state.withLock { $0.dropped += events }
    let why =
      switch error {
      case .unreachable: "not delivered within \(keep.brief): \(error.message)"
      case .rejected: "not wanted by the receiver: \(error.message)"
      }
    say(.dropped(status.name, "\(counted(events, "event")) dropped, \(why)"))
  }
}

/// What becomes a line of the log; a drop is also recorded in the audit.
public enum OutputNotice: Sendable, Equatable {
  case refused(String, String)
  case recovered(String)
  case dropped(String, String)
}
