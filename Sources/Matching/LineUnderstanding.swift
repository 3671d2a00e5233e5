internal import Filters
internal import Model

/// What a filter makes of a line, whether or not it is a failure: a log of which it understands nothing is not the one that is meant.
public enum LineUnderstanding: Sendable, Equatable {
  /// Its program wrote it, or it is in its format.
  case understood
  /// It has a header, of another program.
  case otherProgram
  /// The filter reads a program's lines, and this one names none.
  case noHeader
  /// The filter reads JSON or another format, in which the line is not.
  case otherFormat
  /// The filter takes whatever text there is.
  case unknowable
}

extension Filter {
  /// What the filter makes of one line, without its line end. Not for every line: it allocates.
  public func understanding(of line: borrowing Span<UInt8>) -> LineUnderstanding {
    guard case .native(let native) = body, native.records != .modsecurityAudit else { return .unknowable }
    var clock = LogClock(now: Instant(microseconds: 0))
    let header = SyslogHeader.parse(line, clock: &clock)
    var start = 0
    if let header, !native.programs.isEmpty,
      !header.isBracketed || !native.hasOwnLog || native.admits(line, header.program)
    {
      guard native.admits(line, header.program) else { return .otherProgram }
      start = header.message
    } else if !native.programs.isEmpty, !native.hasOwnLog {
      return .noHeader
    } else if let header, !header.stamp.isEmpty, native.fields != nil {
      start = header.message
    }
    guard let plan = native.fields else { return start > 0 ? .understood : .unknowable }
    var table = FieldTable()
    var scratch = MatchScratch()
    var columns = ColumnHeader()
    do throws(Unread) {
      try plan.read(line.extracting(start..<line.count), into: &table, &scratch, &columns)
    } catch {
      // A log of columns shows only in its header line what they are.
      return error == .otherFormat ? native.readsHeader ? .unknowable : .otherFormat : .understood
    }
    return .understood
  }
}
