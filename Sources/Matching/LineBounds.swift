internal import CLinux
internal import Glibc

extension Span where Element == UInt8 {
  /// Where the line begins in which the byte at `position` is.
  func lineStart(before position: Int) -> Int {
    // Safe: memrchr reads backwards from the position, which lies in the span, to its start.
    unsafe withUnsafeBufferPointer { bytes in
      guard position > 0, let base = bytes.baseAddress,
        let found = unsafe bailiff_memrchr(base, 10, min(position, bytes.count))
      else { return 0 }
      return unsafe UnsafeRawPointer(found) - UnsafeRawPointer(base) + 1
    }
  }

  /// Where the first LF at or after `start` is; the end, when there is none.
  func firstLF(from start: Int) -> Int { first(10, from: start) ?? count }

  /// Where `byte` is first, at or after `start`.
  func first(_ byte: UInt8, from start: Int) -> Int? {
    // Safe: memchr reads no further than the span, and the pointer stays inside the call.
    unsafe withUnsafeBufferPointer { bytes in
      guard start < bytes.count, let base = bytes.baseAddress,
        let found = unsafe memchr(base + start, Int32(byte), bytes.count - start)
      else { return nil }
      return unsafe UnsafeRawPointer(found) - UnsafeRawPointer(base)
    }
  }
}
