import Model
import Synchronization

/// All sources that ever joined, by number, and what `status` tells of them. Belongs to the reader's thread; only the
/// published copy is shared.
final class SourceTable {
  struct Entry: Sendable {
    var status: SourceStatus
    /// Left out of what is shown: a pattern that files match by now, or a source that a reload took away.
    var isHidden = false
  }

  /// What other threads may see.
  final class Published: Sendable {
    fileprivate let entries = Mutex<[Entry]>([])

    var statuses: [SourceStatus] { entries.withLock { $0 }.compactMap { $0.isHidden ? nil : $0.status } }
  }

  private let published: Published
  let sink: any LineSink
  private var entries: [Entry] = []
  private var outlets: [LineOutlet] = []

  init(published: Published, sink: any LineSink) {
    self.published = published
    self.sink = sink
  }

  func add(
    _ kind: SourceInfo.Kind, _ name: String, specs: [Int], state: SourceStatus.State = .reading
  ) -> LineOutlet {
    let info = SourceInfo(number: entries.count, kind: kind, name: name, specs: specs)
    let outlet = LineOutlet(info.number, to: sink)
    entries.append(Entry(status: SourceStatus(info: info, state: state)))
    outlets.append(outlet)
    sink.begin(info)
    published.entries.withLock { $0.append(entries[info.number]) }
    return outlet
  }

  func state(_ number: Int) -> SourceStatus.State { entries[number].status.state }

  func hasFailed(_ number: Int) -> Bool { if case .failed = entries[number].status.state { true } else { false } }

  func name(_ number: Int) -> String { entries[number].status.info.name }

  /// After a reload: the same source for other specs; none hides it.
  func set(_ number: Int, specs: [Int]) {
    entries[number].status.info.specs = specs
    entries[number].isHidden = specs.isEmpty
    if !specs.isEmpty { sink.begin(entries[number].status.info) }
    publish(number)
  }

  func hide(_ number: Int, _ isHidden: Bool) {
    guard entries[number].isHidden != isHidden else { return }
    entries[number].isHidden = isHidden
    publish(number)
  }

  /// Sets the state, and reports it when it is news.
  func set(_ number: Int, state: SourceStatus.State, offset: UInt64? = nil) {
    guard entries[number].status.state != state else { return }
    entries[number].status.state = state
    switch state {
    case .reading: report(number, .reading(from: offset))
    case .waiting(let reason): report(number, .waiting(reason))
    case .failed(let reason): report(number, .failed(reason))
    case .ended: publish(number)
    }
  }

  func report(_ number: Int, _ kind: SourceEvent.Kind) {
    let event = SourceEvent(source: name(number), kind: kind)
    switch kind {
    case .rotated: outlets[number].counters.rotations += 1
    case .truncated: outlets[number].counters.truncations += 1
    default: break
    }
    if event.isLoss { outlets[number].counters.losses += 1 }
    sink.report(event)
    publish(number)
  }

  /// Makes a source's figures visible to other threads.
  func publish(_ number: Int, position: Position? = nil, lag: UInt64? = nil) {
    let counters = outlets[number].counters
    entries[number].status.lines = counters.lines
    entries[number].status.bytes = counters.bytes
    entries[number].status.tooLong = counters.tooLong
    entries[number].status.rotations = counters.rotations
    entries[number].status.truncations = counters.truncations
    entries[number].status.losses = counters.losses
    if let position { entries[number].status.position = position }
    if let lag { entries[number].status.lag = lag }
    let entry = entries[number]
    published.entries.withLock { $0[number] = entry }
  }
}
