import Model

/// The way of one source's lines to the sink, and what is counted on it.
final class LineOutlet {
  let number: Int
  let sink: any LineSink
  var counters = SourceCounters()
  /// See `LineOrigin`.
  var isLive = false
  var isPast = false
  /// Takes lines out of a container's envelope; nil: they have none.
  var decoder: RecordDecoder?

  init(_ number: Int, to sink: any LineSink) {
    self.number = number
    self.sink = sink
  }

  /// Whole lines, back to back, each ended by LF; `offset` is that of their first byte, `ahead` what follows, where that is known.
  func lend(_ lines: borrowing Span<UInt8>, at offset: UInt64, ahead: [UInt8]? = nil) {
    if let decoder {
      decoder.decode(lines, at: offset)
      counters.tooLong += decoder.takeTooLong()
      counters.lines += UInt64(decoder.count)
      guard decoder.count > 0 else { return }
      return sink.consume(
        lines: decoder.payload.span, of: LineOrigin(decoder, isLive: isLive, isPast: isPast), from: number)
    }
    counters.lines += UInt64(countLines(lines))
    let origin = LineOrigin(start: offset, isLive: isLive, isPast: isPast, ahead: ahead)
    sink.consume(lines: lines, of: origin, from: number)
  }

  /// When a line says that it was written.
  func time(of line: borrowing Span<UInt8>) -> Instant? { sink.time(of: line, in: number) }

  /// A journal entry's message.
  func lend(message: borrowing Span<UInt8>, of entry: JournalEntry) {
    entry.isLive = isLive
    entry.isPast = isPast
    sink.consume(message: message, of: entry, from: number)
  }
}

/// What a source has delivered since the reader started.
struct SourceCounters {
  var lines: UInt64 = 0
  var bytes: UInt64 = 0
  /// Lines over the limit; counted in `lines` too.
  var tooLong: UInt64 = 0
  var rotations: UInt64 = 0
  var truncations: UInt64 = 0
  var losses: UInt64 = 0
}
