/// The last lines that were delivered of a file, as hashes, oldest first. They tell lines that a program wrote again from
/// new ones.
struct RecentLines {
  static let most = 128
  private(set) var hashes: [UInt64] = []

  /// Whole lines.
  mutating func add(_ lines: Range<Int>, of buffer: LineBuffer) {
    var starts: [Int] = []
    var end = lines.upperBound - 1
    while starts.count < Self.most, end >= lines.lowerBound {
      let start = buffer.lastNewline(in: lines.lowerBound..<end).map { $0 + 1 } ?? lines.lowerBound
      starts.append(start)
      end = start - 1
    }
    end = lines.upperBound
    if hashes.count + starts.count > 2 * Self.most { hashes.removeFirst(min(hashes.count, Self.most)) }
    for (i, start) in starts.enumerated().reversed() {
      let next = i == 0 ? lines.upperBound : starts[i - 1]
      hashes.append(buffer.lend(start..<next - 1) { Self.hash($0) })
    }
  }

  mutating func removeAll() { hashes = [] }

  /// Of a line without its LF. Eight bytes at a time (multiply and rotate, as FxHash does): it runs on what was just read.
  static func hash(_ line: borrowing Span<UInt8>) -> UInt64 {
    // Safe: the pointer is used only inside the closure, within its count.
    unsafe line.withUnsafeBytes { bytes in
      var hash = UInt64(bytes.count)
      var i = 0
      while i + 8 <= bytes.count {
        let word = unsafe bytes.loadUnaligned(fromByteOffset: i, as: UInt64.self)
        hash = ((hash << 23 | hash >> 41) ^ word) &* 0x9E37_79B9_7F4A_7C15
        i += 8
      }
      while i < bytes.count {
        hash = ((hash << 23 | hash >> 41) ^ UInt64(unsafe bytes[i])) &* 0x9E37_79B9_7F4A_7C15
        i += 1
      }
      return hash ^ hash >> 32
    }
  }
}
