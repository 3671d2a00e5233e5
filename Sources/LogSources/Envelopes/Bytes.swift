internal import Glibc

/// What the readers of envelopes ask of bytes, at the C library's speed.
enum Bytes {
  static func first(_ byte: UInt8, _ bytes: borrowing Span<UInt8>, _ range: Range<Int>) -> Int? {
    precondition(range.lowerBound >= 0 && range.upperBound <= bytes.count)
    return unsafe bytes.withUnsafeBufferPointer { bytes -> Int? in
      // Safe: memchr(3) looks at the range that was checked.
      guard let base = bytes.baseAddress,
        let found = unsafe memchr(base + range.lowerBound, Int32(byte), range.count)
      else { return nil }
      return unsafe UnsafeRawPointer(found) - UnsafeRawPointer(base)
    }
  }

  static func append(_ bytes: borrowing Span<UInt8>, _ range: Range<Int>, to other: inout [UInt8]) {
    precondition(range.lowerBound >= 0 && range.upperBound <= bytes.count)
    // Safe: within the range that was checked.
    unsafe bytes.withUnsafeBufferPointer { unsafe other.append(contentsOf: UnsafeBufferPointer(rebasing: $0[range])) }
  }

  /// Is `text` what begins at `at`?
  static func matches(_ bytes: borrowing Span<UInt8>, _ at: Int, _ text: StaticString) -> Bool {
    guard at >= 0, at + text.utf8CodeUnitCount <= bytes.count else { return false }
    return unsafe bytes.withUnsafeBufferPointer { bytes in
      // Safe: checked above; a literal's bytes are still permanently.
      unsafe memcmp(bytes.baseAddress! + at, text.utf8Start, text.utf8CodeUnitCount) == 0
    }
  }
}
