import Model
internal import System

/// All sources and what they wait for; belongs to the thread that runs it.
final class ReaderLoop {
  private let poller: Poller
  private let sources: [any LogSource]
  private let input: StandardInput
  private var isWoken = false
  private var mayHaveMore = true

  init(table: SourceTable, wakeUp: Int32, positions: [SourcePosition]) throws(SystemError) {
    poller = try Poller()
    input = StandardInput(table: table, poller: poller)
    sources = [
      FileSources(table: table, poller: poller, positions: positions),
      JournalSources(table: table, poller: poller, positions: positions),
      input,
    ]
    _ = poller.add(wakeUp) { [unowned self] in isWoken = true }
  }

  /// Standard input was all there was to read, and it has ended. A daemon without any source waits for a reload instead.
  var isFinished: Bool { input.hasEnded && sources.allSatisfy(\.isFinished) }

  /// `reload`: nil at the start.
  func apply(_ specs: [SourceSpec], _ reload: ReloadSnapshot? = nil) {
    for source in sources { source.apply(specs, reload) }
    mayHaveMore = true
  }

  /// Waits for something to happen, and reads it. True when another thread has woken it.
  func turn() -> Bool {
    isWoken = false
    poller.wait(until: mayHaveMore ? 0 : sources.reduce(.infinity) { min($0, $1.nextTurn) })
    let now = monotonicSeconds()
    mayHaveMore = false
    for source in sources where source.turn(now: now) { mayHaveMore = true }
    return isWoken
  }
}
