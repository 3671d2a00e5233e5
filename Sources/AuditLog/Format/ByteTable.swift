/// Texts by number, in the order in which they were first met: as a dictionary is, without a heap object for each.
struct ByteTable {
  private var text: [UInt8] = []
  private var ranges: [Range<Int>] = []
  /// Open addressing: 0 is empty, else a number + 1.
  private var slots = [UInt32](repeating: 0, count: 64)

  var count: Int { ranges.count }

  subscript(number: Int) -> ArraySlice<UInt8> { text[ranges[number]] }

  mutating func removeAll() {
    guard !ranges.isEmpty else { return }
    text.removeAll(keepingCapacity: true)
    ranges.removeAll(keepingCapacity: true)
    for i in slots.indices { slots[i] = 0 }
  }

  mutating func number(of bytes: borrowing Span<UInt8>) -> Int {
    if ranges.count * 2 >= slots.count { grow() }
    var slot = Int(RecordSum.of(bytes)) & (slots.count &- 1)
    while slots[slot] != 0 {
      let number = Int(slots[slot]) &- 1
      let range = ranges[number]
      if range.count == bytes.count, bytes.alike(from: 0, text.span, from: range.lowerBound) >= bytes.count {
        return number
      }
      slot = (slot &+ 1) & (slots.count &- 1)
    }
    slots[slot] = UInt32(ranges.count + 1)
    ranges.append(text.count..<text.count + bytes.count)
    text.append(bytes)
    return ranges.count - 1
  }

  private mutating func grow() {
    slots = [UInt32](repeating: 0, count: slots.count * 4)
    for (number, range) in ranges.enumerated() {
      var slot = Int(RecordSum.of(text.span.extracting(range))) & (slots.count - 1)
      while slots[slot] != 0 { slot = (slot + 1) & (slots.count - 1) }
      slots[slot] = UInt32(number + 1)
    }
  }
}
