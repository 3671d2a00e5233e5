internal import Model

/// Takes lines out of their envelopes, and joins the parts of those that a runtime has cut. Belongs to one source, through
/// all rotations of its file.
final class RecordDecoder {
  let envelope: Envelope
  private var records: DecodedRecords

  /// - Parameter started: when the container was started last, where that is known.
  init(_ envelope: Envelope, started: @escaping () -> Instant? = { nil }) {
    self.envelope = envelope
    records = DecodedRecords(envelope, started: started)
  }

  /// The lines that ended in what was decoded last, each with its LF.
  var payload: [UInt8] { records.payload }

  var count: Int { records.count }

  /// Decodes whole records, back to back, the first of which is at `offset` of the source. The lines that end in them are
  /// in `payload` until the next call.
  func decode(_ lines: borrowing Span<UInt8>, at offset: UInt64) { records.decode(lines, at: offset) }

  func takeTooLong() -> UInt64 { records.takeTooLong() }

  /// What is decoded next was delivered before, and only tells which lines are begun. `isMidway`: something precedes it.
  func beginReplay(isMidway: Bool) { records.beginReplay(isMidway: isMidway) }

  func endReplay() { records.endReplay() }

  /// Where the record of the line is in the source that begins at `start` of the payload.
  func offset(of start: Int) -> UInt64 { records.offset(of: start) }

  /// When the runtime read the line that begins at `start` of the payload.
  func time(of start: Int) -> Instant? { records.time(of: start) }
}
