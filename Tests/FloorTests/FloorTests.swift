import Detection
import Fail2banMatching
import Foundation
import Matching
import Model
import Settings
import Testing

@Suite struct FloorTests {
  @Test func theWindowTableStaysSmall() throws {
    let floors = try Floors.read()
    var table = WindowTable(limit: 5, findtime: .minutes(10), seed: (1, 2))
    let ids = 200_000
    func fail() {
      for id in 0..<ids { _ = table.add(UInt128(0xFFFF_0000_0000 + id), at: Instant(microseconds: 1), weight: 1) }
    }
    fail()
    #expect(table.count == ids)
    #expect(Double(table.memory) / Double(ids) <= floors.bytesPerIdThatFailedOnce)
    fail()
    fail()
    #expect(table.count == ids)
    #expect(Double(table.memory) / Double(ids) <= floors.bytesPerIdThatFailedThrice)
  }

  @Test func thePrefilterLeavesFewLines() throws {
    let library = FilterLibrary(directories: [Floors.root + "/filters"], builtin: [])
    let set = FilterSet([try Filter(try library.load("sshd"))])
    let log = [UInt8](try Data(contentsOf: URL(fileURLWithPath: Floors.root + "/fixtures/floors/auth.log")))
    var clock = LogClock(now: Instant(microseconds: 1_763_000_000_000_000))
    set.scan(log.span, clock: &clock, history: LineHistory()) { _, _, _ in }
    // 50 of the 1,000 lines are failures: none of them may be missed for the sake of the others.
    #expect(set.counts.matched == 50)
    #expect(set.counts.candidates <= (try Floors.read()).candidatesPerThousandLines)
  }
}
