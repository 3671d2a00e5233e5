internal import Filters

/// The step before matching: which record of the log a line belongs to. Logs of nginx and ModSecurity have records of several lines, of
/// which clients write some.
///
/// An audit log's records are followed line by line. Those of nginx are looked at only where something was found, since that
/// takes the whole record, and most lines of an error log are of no interest.
struct RecordFraming {
  enum Part {
    /// A line by itself.
    case line
    /// Of a record of an audit log, between its boundaries.
    case audit
    /// Of an audit log: there is nothing in it.
    case boundary

    /// Whatever else is in a record of an audit log may be the client's.
    func isSeen(by native: NativeFilter) -> Bool { (self == .audit) == (native.records == .modsecurityAudit) }
  }

  /// May the source be nginx's error log? Then a client can write lines that any of the filters would take.
  private let readsNginx: Bool
  private let readsAudit: Bool

  init(_ natives: [NativeFilter?]) {
    readsNginx = natives.contains { $0?.records == .nginx }
    readsAudit = natives.contains { $0?.records == .modsecurityAudit }
  }

  /// Before the lines of a chunk.
  func enter(_ lines: borrowing Span<UInt8>, _ history: LineHistory) {
    if readsAudit { history.enterAudit(lines) }
  }

  func part(_ lines: borrowing Span<UInt8>, _ line: Range<Int>, _ history: LineHistory) -> Part {
    guard readsAudit else { return .line }
    if history.takeBoundary(lines, line: line, mayBeNginx: readsNginx) { return .boundary }
    return history.audit.isOpen(at: line.lowerBound) ? .audit : .line
  }

  /// May the match in a line, whose address begins at `host` in it, be what a client wrote into a record of nginx's?
  func mayBeForged(_ lines: borrowing Span<UInt8>, _ line: Range<Int>, host: Int, _ history: LineHistory) -> Bool {
    readsNginx && history.mayBeForged(lines, nginxLine: line, host: host)
  }
}
