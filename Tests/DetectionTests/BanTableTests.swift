import Model
import Testing

@testable import Detection

/// The table of bans against Dictionary, through long random lives.
@Suite struct BanTableTests {
  private func ban(_ key: UInt128, until: Int64?) -> Ban {
    Ban(
      jail: "j", identity: .network(Subnet(Address(bits: key))), since: Instant(seconds: 0),
      until: until.map { Instant(seconds: $0) }, count: 1, number: 1, applied: false)
  }

  @Test(arguments: [1, 2, 3] as [UInt64]) func itIsADictionary(seed: UInt64) {
    var random = RandomNumbers(seed: seed)
    var table = BanTable(seed: (seed, ~seed))
    var expected: [UInt128: Ban] = [:]
    for round in 0..<40_000 {
      // Phases in which it grows and phases in which it shrinks to nothing.
      let grows = round / 5_000 % 2 == 0
      let key = UInt128(random.next() % 3_000) << (random.next() % 3 * 48)
      if random.next() % 10 < (grows ? 8 : 2) {
        let new = ban(key, until: random.next() % 5 == 0 ? nil : Int64(random.next() % 100))
        table.set(new, for: key)
        expected[key] = new
      } else {
        #expect(table.remove(key) == expected.removeValue(forKey: key))
      }
      if round % 500 == 0 {
        #expect(table.count == expected.count && table.isEmpty == expected.isEmpty)
        #expect(Set(table.bans) == Set(expected.values))
        for (key, ban) in expected {
          #expect(table[key] == ban)
          #expect(table.end(of: key) == ban.until ?? Instant(microseconds: .max))
        }
        for place in 0..<table.count { #expect(table.find(table.key(at: place)) == place) }
        let over = expected.filter { $0.value.until.map { $0 <= Instant(seconds: 50) } ?? false }
        let found = table.expired(at: Instant(seconds: 50))
        #expect(Set(found.map(\.key)) == Set(over.keys))
        #expect(found.map(\.end) == found.map(\.end).sorted())
      }
    }
    for key in expected.keys { table.remove(key) }
    #expect(table.isEmpty && table.find(1) == nil)
  }

  private struct RandomNumbers {
    var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return state >> 33
    }
  }
}
