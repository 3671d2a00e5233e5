internal import Settings

/// Where messages go.
protocol Destination: Sendable {
  /// At most so many events a message.
  var batch: Int { get }
  /// Do people read it? Then what has waited comes as one message.
  var isForPeople: Bool { get }
  /// How many messages may be on their way at once.
  var parallel: Int { get }

  /// Is it meant for what this is?
  func wants(_ event: Event) -> Bool

  /// Returns what came back, for whoever tries it out. May take as long as its own time limit.
  func deliver(_ message: Message) throws(DeliveryError) -> String
}

extension Destination {
  var parallel: Int { 1 }
  var isForPeople: Bool { false }
  func wants(_ event: Event) -> Bool { true }
}

/// Why a message was not delivered.
enum DeliveryError: Error, Equatable {
  /// May work later, and not before `after` seconds where the receiver said so.
  case unreachable(String, after: Double? = nil)
  /// The receiver does not want this message, and will not want it later.
  case rejected(String)

  var message: String {
    switch self {
    case .unreachable(let text, _), .rejected(let text): text
    }
  }
}
