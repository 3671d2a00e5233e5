import Synchronization

/// Who may take a processor for some seconds: one at a time.
enum HeavyTurn {
  private static let isTaken = Atomic(false)

  static func take() -> Bool {
    isTaken.compareExchange(expected: false, desired: true, ordering: .acquiringAndReleasing).exchanged
  }

  static func giveBack() { isTaken.store(false, ordering: .releasing) }
}
