internal import CLinux

extension Span<UInt8> {
  /// Where `needle` begins first within `range`, as far as the span reaches; nil: it does not stand there whole.
  func first(_ needle: StaticString, in range: Range<Int>) -> Int? {
    let range = range.clamped(to: indices)
    guard needle.utf8CodeUnitCount <= range.count else { return nil }
    // Safe: memmem(3) reads `range.count` bytes from there on, which `extracting` has checked to be this span's, and the needle.
    return unsafe extracting(range).withUnsafeBytes { bytes in
      guard let base = bytes.baseAddress,
        let found = unsafe bailiff_memmem(base, bytes.count, needle.utf8Start, needle.utf8CodeUnitCount)
      else { return nil }
      return unsafe range.lowerBound + (UnsafeRawPointer(found) - base)
    }
  }
}
