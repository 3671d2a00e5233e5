internal import Glibc
internal import System

/// The buffer through which lines pass: what is read into it is lent as whole lines.
@safe final class LineBuffer {
  /// Bytes read at once; large enough that a system call costs nothing per line, small enough for the L2 cache.
  static let chunk = 256 << 10

  /// Safe: allocated in `init`, freed in `deinit`, never handed out beyond a call; `capacity` bytes long.
  @unsafe let base: UnsafeMutablePointer<UInt8>
  /// A chunk, what a stream carries over from the one before (at most a line's limit and what is kept back), one byte of
  /// context, one LF.
  let capacity: Int

  init(lineLimit: Int = LineLimit.bytes) {
    capacity = Self.chunk + lineLimit + LineCutter.ahead + 2
    // Safe: see `base`; zeroed, so that nothing uninitialised can be lent.
    unsafe base = .allocate(capacity: capacity)
    unsafe base.initialize(repeating: 0, count: capacity)
  }

  deinit {
    // Safe: allocated in `init`, and nobody else holds it.
    unsafe base.deallocate()
  }

  /// Lends the bytes of a range; they are good during the call.
  func lend<Result>(_ range: Range<Int>, _ body: (borrowing Span<UInt8>) throws -> Result) rethrows -> Result {
    precondition(range.lowerBound >= 0 && range.upperBound <= capacity)
    // Safe: checked above; the span ends with the call.
    let bytes = unsafe UnsafeBufferPointer(start: base + range.lowerBound, count: range.count)
    return try body(unsafe bytes.span)
  }

  func copy(_ range: Range<Int>) -> [UInt8] {
    // Safe: `lend` has checked the range, and the pointer is used only inside the call.
    lend(range) { bytes in unsafe bytes.withUnsafeBufferPointer { unsafe Array($0) } }
  }

  func lastNewline(in range: Range<Int>) -> Int? {
    precondition(range.lowerBound >= 0 && range.upperBound <= capacity)
    var i = range.upperBound
    while i > range.lowerBound {
      i -= 1
      // Safe: within the range that was checked.
      if unsafe base[i] == 10 { return i }
    }
    return nil
  }

  func firstNewline(in range: Range<Int>) -> Int? {
    precondition(range.lowerBound >= 0 && range.upperBound <= capacity)
    // Safe: checked above; memchr(3) looks at `range.count` bytes.
    guard let found = unsafe memchr(base + range.lowerBound, 10, range.count) else { return nil }
    return unsafe UnsafeRawPointer(found) - UnsafeRawPointer(base)
  }

  /// Reads up to `count` bytes of a file at `offset` into the buffer at `start`; -1 with errno when it cannot.
  func read(_ descriptor: Int32, at offset: UInt64, count: Int, to start: Int = 0) -> Int {
    precondition(start >= 0 && count >= 0 && start + count <= capacity)
    // Safe: checked above.
    return retrying { unsafe pread(descriptor, base + start, count, off_t(clamping: offset)) }
  }

  /// Reads what a pipe, a terminal or a socket has, up to `count` bytes.
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

  /// Do two ranges of one length hold the same bytes?
  func isEqual(_ a: Range<Int>, _ b: Range<Int>) -> Bool {
    precondition(a.count == b.count)
    precondition(min(a.lowerBound, b.lowerBound) >= 0 && max(a.upperBound, b.upperBound) <= capacity)
    // Safe: checked above.
    return unsafe memcmp(base + a.lowerBound, base + b.lowerBound, a.count) == 0
  }

  /// Moves the bytes of `range` to the buffer's start.
  func moveToStart(_ range: Range<Int>) {
    precondition(range.lowerBound >= 0 && range.upperBound <= capacity)
    // Safe: checked above; memmove(3) takes overlapping regions.
    unsafe _ = memmove(base, base + range.lowerBound, range.count)
  }
}
