import Model
import Synchronization

/// All sources that ever joined, by number, and what `status` tells of them. Belongs to the reader's thread; only the
/// published copy is shared.
final class SourceTable {
  /// What other threads may see.
  final class Published: Sendable {
    let statuses = Mutex<[SourceStatus]>([])
  }

  private struct Entry {
    var status: SourceStatus
    /// Left out of `status()`: a pattern that files match by now, or a source that a reload took away.
    var isHidden = false
    /// Its place in the published list.
    var visibleIndex: Int?
    var counters = SourceCounters()
  }

  let published: Published
  let sink: any LineSink
  private var entries: [Entry] = []

  init(published: Published, sink: any LineSink) {
    self.published = published
    self.sink = sink
  }

  func add(_ kind: SourceInfo.Kind, _ name: String, specs: [Int], state: SourceStatus.State = .reading) -> Int {
    let info = SourceInfo(number: entries.count, kind: kind, name: name, specs: specs)
    entries.append(Entry(status: SourceStatus(info: info, state: state)))
    sink.begin(info)
    publish()
    return info.number
  }

  func state(_ number: Int) -> SourceStatus.State { entries[number].status.state }

  func name(_ number: Int) -> String { entries[number].status.info.name }

  /// After a reload: the same source for other specs; none hides it.
  func set(_ number: Int, specs: [Int]) {
    entries[number].status.info.specs = specs
    entries[number].isHidden = specs.isEmpty
    if !specs.isEmpty { sink.begin(entries[number].status.info) }
    publish()
  }

  func hide(_ number: Int, _ isHidden: Bool) {
    guard entries[number].isHidden != isHidden else { return }
    entries[number].isHidden = isHidden
    publish()
  }

  /// Sets the state, and reports it when it is news.
  func set(_ number: Int, state: SourceStatus.State, offset: UInt64? = nil) {
    guard entries[number].status.state != state else { return }
    entries[number].status.state = state
    switch state {
    case .reading: report(number, .reading(from: offset))
    case .waiting(let reason): report(number, .waiting(reason))
    case .failed(let reason): report(number, .failed(reason))
    case .ended: break
    }
    publish()
  }

  func report(_ number: Int, _ kind: SourceEvent.Kind) {
    let event = SourceEvent(source: name(number), kind: kind)
    switch kind {
    case .rotated: entries[number].counters.rotations += 1
    case .truncated: entries[number].counters.truncations += 1
    default: break
    }
    if event.isLoss { entries[number].counters.losses += 1 }
    sink.report(event)
    publish(number)
  }

  func count(_ number: Int, _ body: (inout SourceCounters) -> Void) { body(&entries[number].counters) }

  /// What `consume` adds to while a chunk is read.
  func counters(_ number: Int) -> SourceCounters { entries[number].counters }

  func set(_ number: Int, counters: SourceCounters) { entries[number].counters = counters }

  /// Makes a source's figures visible to other threads.
  func publish(_ number: Int, position: Position? = nil, lag: UInt64? = nil) {
    let counters = entries[number].counters
    entries[number].status.lines = counters.lines
    entries[number].status.bytes = counters.bytes
    entries[number].status.tooLong = counters.tooLong
    entries[number].status.rotations = counters.rotations
    entries[number].status.truncations = counters.truncations
    entries[number].status.losses = counters.losses
    if let position { entries[number].status.position = position }
    if let lag { entries[number].status.lag = lag }
    let status = entries[number].status
    guard let i = entries[number].visibleIndex else { return }
    published.statuses.withLock { $0[i] = status }
  }

  private func publish() {
    var visible: [SourceStatus] = []
    for i in entries.indices {
      entries[i].visibleIndex = entries[i].isHidden ? nil : visible.count
      if !entries[i].isHidden { visible.append(entries[i].status) }
    }
    published.statuses.withLock { $0 = visible }
  }
}
