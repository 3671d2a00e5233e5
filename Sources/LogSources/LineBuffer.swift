internal import Glibc

/// The one buffer through which all lines pass: what is read into it is lent to the sink as whole lines.
@safe final class LineBuffer {
  /// Bytes read at once; large enough that a system call costs nothing per line, small enough for the L2 cache.
  static let chunk = 256 << 10

  /// Safe: allocated in `init`, freed in `deinit`, never handed out beyond a call; `capacity` bytes long.
  @unsafe let base: UnsafeMutablePointer<UInt8>
  /// A chunk, what a stream carries over from the one before (at most a line's limit), one byte of context, one LF.
  let capacity = chunk + LineLimit.bytes + 2

  init() {
    // Safe: see `base`; zeroed, so that nothing uninitialised can be lent.
    unsafe base = .allocate(capacity: capacity)
    unsafe base.initialize(repeating: 0, count: capacity)
  }

  deinit {
    // Safe: allocated in `init`, and nobody else holds it.
    unsafe base.deallocate()
  }

  /// What a look through the buffer came to.
  struct Result {
    /// The end of the last whole line.
    var consumed: Int
    var lines = 0
    var tooLong = 0
    /// The line that begins at `consumed` is over the limit already, and its end is not in the buffer.
    var isInLongLine = false
  }

  /// Lends the whole lines of `range` to the sink; of a line over the limit, its first 64 KiB.
  func deliver(_ range: Range<Int>, at offset: UInt64, from source: Int, to sink: any LineSink) -> Result {
    precondition(range.lowerBound >= 0 && range.upperBound <= capacity)
    var result = Result(consumed: range.lowerBound)
    var start = range.lowerBound
    var line = start
    while line < range.upperBound {
      // One byte more than the limit, for the LF of a line that just fits.
      let window = min(line + LineLimit.bytes + 1, range.upperBound)
      if let end = lastNewline(in: line..<window) {
        line = end + 1
        continue
      }
      guard window - line > LineLimit.bytes else { break }
      if start < line {
        result.lines += lend(start..<line, at: offset + UInt64(start - range.lowerBound), source, sink)
      }
      start = line
      guard let end = firstNewline(in: window..<range.upperBound) else {
        result.isInLongLine = true
        break
      }
      _ = lend(line..<line + LineLimit.bytes, at: offset + UInt64(line - range.lowerBound), source, sink)
      result.lines += 1
      result.tooLong += 1
      line = end + 1
      start = line
    }
    if start < line { result.lines += lend(start..<line, at: offset + UInt64(start - range.lowerBound), source, sink) }
    result.consumed = line
    return result
  }

  /// Lends the buffer's first 64 KiB: the head of a line over the limit.
  func lendCut(at offset: UInt64, from source: Int, to sink: any LineSink) {
    _ = lend(0..<LineLimit.bytes, at: offset, source, sink)
  }

  /// Lends the buffer's first bytes as a journal entry's message.
  func lendMessage(_ count: Int, of entry: JournalEntry, from source: Int, to sink: any LineSink) {
    precondition(count >= 0 && count <= capacity)
    // Safe: checked above; the span ends with the call.
    let buffer = unsafe UnsafeBufferPointer(start: base, count: count)
    sink.consume(message: unsafe buffer.span, of: entry, from: source)
  }

  /// Lends bytes of the buffer; returns how many lines they are.
  private func lend(_ range: Range<Int>, at offset: UInt64, _ source: Int, _ sink: any LineSink) -> Int {
    // Safe: `deliver` has checked the range against the capacity; the span ends with the call.
    let buffer = unsafe UnsafeBufferPointer(start: base + range.lowerBound, count: range.count)
    let lines = unsafe buffer.span
    sink.consume(lines: lines, at: offset, from: source)
    return countLines(lines)
  }

  func lastNewline(in range: Range<Int>) -> Int? {
    var i = range.upperBound
    while i > range.lowerBound {
      i -= 1
      // Safe: within a range that the caller has checked.
      if unsafe base[i] == 10 { return i }
    }
    return nil
  }

  func firstNewline(in range: Range<Int>) -> Int? {
    // Safe: as above; memchr(3) looks at `range.count` bytes.
    guard let found = unsafe memchr(base + range.lowerBound, 10, range.count) else { return nil }
    return unsafe UnsafeRawPointer(found) - UnsafeRawPointer(base)
  }

  /// Reads up to `count` bytes of a file at `offset` into the buffer at `start`; -1 with errno when it cannot.
  func read(_ descriptor: Int32, at offset: UInt64, count: Int, to start: Int = 0) -> Int {
    precondition(start >= 0 && count >= 0 && start + count <= capacity)
    // Safe: checked above.
    return retrying { unsafe pread(descriptor, base + start, count, off_t(clamping: offset)) }
  }

  /// Reads what a pipe or a terminal has, up to `count` bytes.
  func read(_ descriptor: Int32, count: Int, to start: Int) -> Int {
    precondition(start >= 0 && count >= 0 && start + count <= capacity)
    // Safe: checked above.
    return retrying { unsafe Glibc.read(descriptor, base + start, count) }
  }

  subscript(index: Int) -> UInt8 {
    get {
      precondition(index >= 0 && index < capacity)
      // Safe: checked above.
      return unsafe base[index]
    }
    set {
      precondition(index >= 0 && index < capacity)
      // Safe: checked above.
      unsafe base[index] = newValue
    }
  }

  /// Moves the bytes of `range` to the buffer's start.
  func moveToStart(_ range: Range<Int>) {
    precondition(range.lowerBound >= 0 && range.upperBound <= capacity)
    // Safe: checked above; memmove(3) takes overlapping regions.
    unsafe _ = memmove(base, base + range.lowerBound, range.count)
  }
}
