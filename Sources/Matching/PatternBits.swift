/// A set of patterns, by their places among all patterns of a `FilterSet`: a bit each.
package struct PatternBits {
  private var words: [UInt64]

  package init(count: Int, all: Bool = false) { words = Array(repeating: all ? ~0 : 0, count: count / 64 + 1) }

  package func contains(_ place: Int) -> Bool { words[place >> 6] & 1 << UInt64(place & 63) != 0 }

  package mutating func insert(_ place: Int) { words[place >> 6] |= 1 << UInt64(place & 63) }

  package mutating func remove(_ place: Int) { words[place >> 6] &= ~(1 << UInt64(place & 63)) }

  package var isEmpty: Bool { words.allSatisfy { $0 == 0 } }

  /// Becomes `other`, without a copy of its memory.
  package mutating func assign(_ other: PatternBits) {
    for word in words.indices { words[word] = other.words[word] }
  }

  package mutating func formIntersection(_ other: PatternBits) {
    for word in words.indices { words[word] &= other.words[word] }
  }

  /// The first one at or after `place`; nil when there is none.
  package func next(from place: Int) -> Int? {
    var word = place >> 6
    guard word < words.count else { return nil }
    var bits = words[word] & ~0 << UInt64(place & 63)
    while bits == 0 {
      word += 1
      guard word < words.count else { return nil }
      bits = words[word]
    }
    return word << 6 | bits.trailingZeroBitCount
  }
}
