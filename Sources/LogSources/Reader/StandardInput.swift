internal import Glibc
internal import System

/// Standard input, until it ends.
final class StandardInput: LogSource {
  private let table: SourceTable
  private let poller: Poller
  /// A buffer of its own: what a stream carries over cannot be read again.
  private lazy var reader = StreamReader(STDIN_FILENO, name: "standard input", LineBuffer())
  private var outlet: LineOutlet?
  /// A regular file cannot be waited for: it always is ready.
  private var isPollable = true
  private var isReady = false

  init(table: SourceTable, poller: Poller) {
    self.table = table
    self.poller = poller
  }

  var hasEnded: Bool { outlet.map { table.state($0.number) == .ended } ?? false }
  var isFinished: Bool { outlet == nil || hasEnded }

  let nextTurn = Double.infinity

  func apply(_ specs: [SourceSpec], _ reload: ReloadSnapshot?) {
    let wanting = specs.indices.filter { specs[$0].kind == .standardInput }
    if let outlet { return table.set(outlet.number, specs: wanting) }
    guard !wanting.isEmpty else { return }
    outlet = table.add(.standardInput, "-", specs: wanting)
    isPollable = poller.add(STDIN_FILENO) { [unowned self] in isReady = true }
    isReady = !isPollable
  }

  func turn(now: Double) -> Bool {
    guard isReady, let outlet, !isFinished else { return false }
    isReady = !isPollable
    var more = false
    var problem: SystemError?
    do throws(SystemError) {
      more = try reader.read(to: outlet)
    } catch {
      problem = error
    }
    table.sink.checkpoint([])
    table.publish(outlet.number)
    if !more {
      if isPollable { poller.remove(STDIN_FILENO) }
      isReady = false
      if let problem { table.set(outlet.number, state: .failed("\(problem)")) }
      table.set(outlet.number, state: .ended)
    }
    return more && !isPollable
  }
}
