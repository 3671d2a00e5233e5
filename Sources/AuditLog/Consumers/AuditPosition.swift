internal import Model

/// How much of the audit somebody has had: everything up to these numbers, in the order in which it was stored. Its text fits
/// a command line: `5f3c09ab-1204-17-9` (the store, then the last failure, decision and event).
public struct AuditPosition: Hashable, Sendable, CustomStringConvertible {
  /// Which store the numbers belong to: one that was begun again counts from 1.
  var store: UInt32
  var failure: Int64
  var decision: Int64
  var event: Int64

  /// Before everything in a store.
  static func beginning(of store: UInt32) -> AuditPosition {
    AuditPosition(store: store, failure: 0, decision: 0, event: 0)
  }

  init(store: UInt32, failure: Int64, decision: Int64, event: Int64) {
    self.store = store
    self.failure = failure
    self.decision = decision
    self.event = event
  }

  public init?(_ text: some StringProtocol) {
    let parts = text.split(separator: "-", omittingEmptySubsequences: false)
    guard parts.count == 4, parts[0].utf8.count == 8, let store = UInt32(parts[0], radix: 16),
      let failure = Int64(parts[1]), let decision = Int64(parts[2]), let event = Int64(parts[3]),
      min(failure, decision, event) >= 0
    else { return nil }
    self.init(store: store, failure: failure, decision: decision, event: event)
  }

  public var description: String {
    let digits = String(store, radix: 16)
    return String(repeating: "0", count: 8 - digits.count) + "\(digits)-\(failure)-\(decision)-\(event)"
  }

  /// Has everything that `other` has had been had?
  public func hasReached(_ other: AuditPosition) -> Bool {
    store == other.store && failure >= other.failure && decision >= other.decision && event >= other.event
  }

  subscript(kind: RecordKind) -> Int64 {
    get {
      switch kind {
      case .failures: failure
      case .decisions: decision
      case .events: event
      }
    }
    set {
      switch kind {
      case .failures: failure = newValue
      case .decisions: decision = newValue
      case .events: event = newValue
      }
    }
  }
}

/// Rows in the order in which they were stored, each with its position.
public struct AuditDelivery: Sendable {
  public var rows: [AuditRow]
  /// Behind all that was looked at, also what the filter left out.
  public var end: AuditPosition
  /// Is there more?
  public var hasMore: Bool
}
