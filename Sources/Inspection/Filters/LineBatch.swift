/// Lines back to back, each with its LF, as the engine gets them: what follows a line can decide about it too.
public struct LineBatch: Sendable {
  public private(set) var bytes: [UInt8] = []
  /// Where each line begins.
  public private(set) var starts: [Int] = []

  public var isFull: Bool { bytes.count >= 256 << 10 }

  public init() {}

  public mutating func append(_ line: borrowing Span<UInt8>, after prefix: [UInt8] = []) {
    starts.append(bytes.count)
    bytes += prefix
    // Safe: the pointer is used only inside the call; appending through it is one memcpy.
    unsafe line.withUnsafeBufferPointer { unsafe bytes.append(contentsOf: $0) }
    bytes.append(UInt8(ascii: "\n"))
  }

  public mutating func removeAll() {
    bytes.removeAll(keepingCapacity: true)
    starts.removeAll(keepingCapacity: true)
  }
}
