internal import Model

/// How a failure is written when it is committed: the bytes that the chain's hash covers, and that a settled row gives
/// again, byte for byte. Numbers are little-endian.
///
/// ```
/// time 8 · place 8 · origin 4 · origin's key 8 · count 4 · weight 4 · kind 1 · address 4 or 16, or length 2 and name
/// · user: length 2, bytes · line: length 2, bytes · if kind has bit 7: time 8, place 8, line: length 2, bytes
/// ```
enum RecordKind {
  static let name: UInt8 = 0
  static let ipv4: UInt8 = 4
  static let ipv6: UInt8 = 6
  /// The record stands for several lines and ends with the last of them.
  static let folded: UInt8 = 0x80
}

/// Limits on attackers' text. What is cut ends in `[…]`.
enum TextLimit {
  static let line = 2048
  static let user = 256
  static let name = 1024
}

/// A growing run of bytes with the few ways of writing that records, decisions and events need.
struct ByteWriter {
  var bytes: [UInt8] = []

  mutating func integer(_ value: some FixedWidthInteger) {
    unsafe withUnsafeBytes(of: value.littleEndian) { raw in
      // Safe: the buffer is the integer's own bytes, used only inside the closure.
      unsafe bytes.append(contentsOf: raw)
    }
  }

  mutating func text(_ value: String) {
    integer(UInt32(truncatingIfNeeded: value.utf8.count))
    bytes.append(contentsOf: value.utf8)
  }

  mutating func optional(_ value: (some FixedWidthInteger)?) {
    guard let value else {
      bytes.append(0)
      return
    }
    bytes.append(1)
    integer(value)
  }
}
