public import Model
import Synchronization
public import System

/// Reads all sources on one thread: the one that calls `run`. Everything else may be called from any thread.
///
/// ```swift
/// let reader = try LogReader(
///   sources: [.files(["/var/log/auth.log"]), .journal(matches: ["_SYSTEMD_UNIT=ssh.service"])], positions: stored)
/// Thread { try reader.run(sink) }.start()
/// reader.status()  // lines, bytes, lag, state of every source
/// reader.stop()
/// ```
public final class LogReader: Sendable {
  private struct Requests {
    var isStopped = false
    var reload: (specs: [SourceSpec], snapshot: ReloadSnapshot, onReader: @Sendable () -> Void)?
  }

  private let requests = Mutex(Requests())
  private let wakeUp: WakeUp
  private let specs: [SourceSpec]
  private let positions: [SourcePosition]
  private let published = SourceTable.Published()

  /// `positions`: what the last checkpoints of the run before gave; in any order, of any source.
  public init(sources: [SourceSpec], positions: [SourcePosition] = []) throws(SystemError) {
    wakeUp = try WakeUp()
    specs = sources
    self.positions = positions
  }

  /// Reads until `stop()`, or until standard input ends when there is nothing else to read. Call it once.
  public func run(_ sink: any LineSink) throws(SystemError) {
    let loop = try ReaderLoop(
      table: SourceTable(published: published, sink: sink), wakeUp: wakeUp.descriptor.raw, positions: positions)
    loop.apply(specs)
    while true {
      let request = requests.withLock { requests in
        defer { requests.reload = nil }
        return requests
      }
      if request.isStopped { return }
      if let reload = request.reload {
        reload.onReader()
        loop.apply(reload.specs, reload.snapshot)
      }
      if loop.isFinished { return }
      if loop.turn() { wakeUp.clear() }
    }
  }

  /// Ends `run` after its turn of reading; what was delivered has had its checkpoint.
  public func stop() {
    requests.withLock { $0.isStopped = true }
    wakeUp.signal()
  }

  /// Reads other sources from now on. What both lists name goes on where it is, under its number; the sink's `begin` tells
  /// its new specs. New sources begin where they end now, however late the reader comes to them. `onReader` is called on the
  /// reader's thread first, between two turns: nothing is being consumed then.
  public func reload(sources: [SourceSpec], onReader: @escaping @Sendable () -> Void = {}) {
    let snapshot = ReloadSnapshot(sources)
    requests.withLock { requests in
      // Whoever waits for an earlier one that the reader has not come to yet is told too.
      let before = requests.reload?.onReader
      requests.reload = (
        sources, requests.reload?.snapshot.followed(by: snapshot) ?? snapshot,
        {
          before?()
          onReader()
        }
      )
    }
    wakeUp.signal()
  }

  /// Every source as of its last turn of reading.
  public func status() -> [SourceStatus] { published.statuses }
}
