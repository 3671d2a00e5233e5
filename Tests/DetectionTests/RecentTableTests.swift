import Model
import Testing

@testable import Detection

@Suite struct RecentTableTests {
  private static let start = Instant(rfc3339: "2026-11-28T12:00:00Z")!

  private static func at(_ hours: Int64) -> Instant { start.adding(.hours(hours)) }

  @Test func membersCountOnceAndWithinTheSpan() {
    var table = RecentTable(most: 3)
    for (member, hour) in [(1, 0), (1, 1), (2, 2), (3, 30)] as [(UInt64, Int64)] {
      table.add(member, to: 7, at: Self.at(hour))
    }
    #expect(table.find(7, until: Self.at(30), span: .hours(24)) == .init(count: 1, first: Self.at(30)))
    #expect(table.find(7, until: Self.at(30), span: .hours(29)) == .init(count: 3, first: Self.at(1)))
    #expect(table.find(8, until: Self.at(30), span: .hours(29)) == .init())
    // A fourth takes the oldest one's place.
    table.add(4, to: 7, at: Self.at(31))
    #expect(table.find(7, until: Self.at(31), span: .hours(100)) == .init(count: 3, first: Self.at(2)))
  }

  /// As after a restart, when rows are read jail by jail.
  @Test func theOrderDoesNotMatter() {
    let members = (0..<40).map { (id: UInt64($0 % 13), time: Self.at(Int64($0 * 7 % 40))) }
    func table(_ members: [(id: UInt64, time: Instant)]) -> RecentTable {
      var table = RecentTable(most: 5)
      for member in members { table.add(member.id, to: 1, at: member.time) }
      return table
    }
    let (a, b) = (table(members.sorted { $0.time < $1.time }), table(members.sorted { $0.time > $1.time }))
    for span in 1..<40 {
      let hours = TimeSpan.hours(Int64(span))
      #expect(a.find(1, until: Self.at(40), span: hours) == b.find(1, until: Self.at(40), span: hours), "\(span)")
    }
  }

  /// Who floods with names that come once does not make it forget an account that is tried slowly.
  @Test func aFloodOfNamesPushesOutNoSlowAttack() {
    var table = RecentTable(most: 10, limit: 1024)
    for hour in 0..<10 {
      table.add(UInt64(hour), to: 1, at: Self.at(Int64(hour)))
      for name in 0..<5000 { table.add(99, to: UInt64(1000 + hour * 5000 + name), at: Self.at(Int64(hour))) }
      // The first member alone is as any other name.
      if hour == 0 { table.add(0, to: 1, at: Self.at(0)) }
      table.add(UInt64(100 + hour), to: 1, at: Self.at(Int64(hour)))
    }
    #expect(table.count == 1024 && table.forgotten > 40_000)
    #expect(table.find(1, until: Self.at(10), span: .hours(24)).count == 10)
  }

  /// Keys that begin at the same places, around the end of the slots and with others going: each that is there is found, and none
  /// that is not.
  @Test func everyKeyIsFoundWhateverWentBeforeIt() {
    var generator = SystemRandomNumberGenerator()
    for _ in 0..<20 {
      var table = RecentTable(most: 2, limit: 100)
      var keys: Set<UInt64> = []
      for _ in 0..<3000 {
        // Of a few places, most of them near the end.
        let key =
          UInt64.random(in: 0..<8, using: &generator) << 32 | UInt64.random(in: 0..<16, using: &generator) &* 17 | 0xF0
        let member = UInt64.random(in: 1...3, using: &generator)
        let place = table.add(member, to: key, at: Self.at(0))
        #expect(
          table.find(at: place, until: Self.at(0), span: .hours(1))
            == table.find(key, until: Self.at(0), span: .hours(1)))
        keys.insert(key)
      }
      let found = keys.filter { table.find($0, until: Self.at(0), span: .hours(1)).count > 0 }
      #expect(found.count == table.count && table.count == 100)
    }
  }
}
