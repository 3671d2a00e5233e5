import Detection
import Model
import TestSupport
import Testing

@Suite struct WindowTableTests {
  private func at(_ second: Int64) -> Instant { Instant(seconds: second) }

  /// The definition, done naively: all times of an id since its last ban, counted over.
  private struct Naive {
    var times: [UInt128: [Int64]] = [:]
    let limit: Int
    let span: Int64

    mutating func add(_ key: UInt128, _ t: Int64, _ weight: Int) -> Bool {
      times[key, default: []] += Array(repeating: t, count: weight)
      if times[key]!.count(where: { t - $0 <= span }) >= limit {
        times[key] = nil
        return true
      }
      return false
    }
  }

  @Test(arguments: [1, 2, 3, 4, 5, 8, 9, 17, 256])
  func equalsTheDefinition(limit: Int) {
    var random = Numbers(state: UInt64(limit))
    var table = WindowTable(limit: limit, findtime: .seconds(600), seed: (1, 2))
    var naive = Naive(limit: limit, span: 600_000_000)
    var time: Int64 = 1_000_000_000_000
    var bans = 0
    for _ in 0..<60_000 {
      // About as many failures an id and window as the limit, so that it is reached often and missed often.
      time += Int64.random(in: 0...(2 * 600_000_000 / Int64(40 * limit)), using: &random)
      let key = UInt128(UInt64.random(in: 0..<40, using: &random))
      let weight = Int.random(in: 0..<20, using: &random) == 0 ? 3 : 1
      let banned = table.add(key, at: Instant(microseconds: time), weight: weight) != nil
      if banned != naive.add(key, time, weight) { Issue.record("differs at \(time)") }
      bans += banned ? 1 : 0
    }
    #expect(bans > 50)
  }

  /// fail2ban's estimate bans one failure each 155 s with maxretry 5 and findtime 600; only 4 lie in any 600 s.
  @Test func slowGuessersAreBelowTheLimit() {
    var table = WindowTable(limit: 5, findtime: .seconds(600), seed: (1, 2))
    for n in 0..<100 { #expect(table.add(1, at: at(Int64(n) * 155), weight: 1) == nil) }
    #expect(table.current(1, at: at(99 * 155)) == 4)
  }

  @Test func whatIsExactlyFindtimeOldStillCounts() {
    var table = WindowTable(limit: 2, findtime: .seconds(600), seed: (1, 2))
    #expect(table.add(1, at: at(0), weight: 1) == nil)
    #expect(table.add(1, at: at(600), weight: 1) == 2)
    #expect(table.add(2, at: at(0), weight: 1) == nil)
    #expect(table.add(2, at: Instant(microseconds: 600_000_001), weight: 1) == nil)
  }

  @Test func lateLinesAreSortedIn() {
    var table = WindowTable(limit: 3, findtime: .seconds(600), seed: (1, 2))
    #expect(table.add(1, at: at(500), weight: 1) == nil)
    #expect(table.add(1, at: at(100), weight: 1) == nil)
    #expect(table.add(1, at: at(300), weight: 1) == 3)
  }

  /// A clock that is put back must not blind a jail until it has caught up.
  @Test func aClockPutBackStartsAnew() {
    var table = WindowTable(limit: 3, findtime: .seconds(600), seed: (1, 2))
    for second in [100_000, 100_001, 50_000, 50_001] as [Int64] {
      #expect(table.add(1, at: at(second), weight: 1) == nil)
    }
    #expect(table.add(1, at: at(50_002), weight: 1) == 3)
  }

  @Test func timesAtTheEndsOfTimeDoNotTrap() {
    for limit in [1, 3, 1000] {
      var table = WindowTable(limit: limit, findtime: TimeSpan(microseconds: .max), seed: (1, 2))
      for time in [Int64.min, .max, 0, -1, .min + 1, .max - 1] {
        _ = table.add(7, at: Instant(microseconds: time), weight: .max)
        _ = table.add(7, at: Instant(microseconds: time), weight: 1)
        _ = table.current(7, at: Instant(microseconds: time))
      }
    }
  }

  /// Rate limits count in slices: never fewer than lie in the window, never more than lie in one slice beyond it.
  @Test func ratesAreWithinOneSlice() {
    var random = Numbers(state: 9)
    var table = WindowTable(limit: 1_000_000, findtime: .seconds(60), seed: (1, 2))
    var times: [Int64] = []
    var time: Int64 = 1_000_000_000
    for _ in 0..<20_000 {
      time += Int64.random(in: 0...20_000, using: &random)
      times.append(time)
      _ = table.add(1, at: Instant(microseconds: time), weight: 1)
    }
    let counted = table.current(1, at: Instant(microseconds: time))
    let slice = 60_000_000 / 128 as Int64
    #expect(counted >= times.count { time - $0 <= 60_000_000 - slice })
    #expect(counted <= times.count { time - $0 <= 60_000_000 + slice })
    var limited = WindowTable(limit: 300, findtime: .seconds(60), seed: (1, 2))
    var bannedAt: Int?
    for n in 0..<400 where limited.add(1, at: Instant(microseconds: Int64(n) * 1000), weight: 1) != nil {
      bannedAt = bannedAt ?? n
    }
    #expect(bannedAt == 299)
  }

  @Test func manyIdsComeAndGo() {
    var random = Numbers(state: 3)
    var table = WindowTable(limit: 3, findtime: .seconds(10), seed: (5, 6))
    var naive = Naive(limit: 3, span: 10_000_000)
    var time: Int64 = 0
    for _ in 0..<300_000 {
      time += 100
      let key = UInt128(UInt64.random(in: 0..<60_000, using: &random)) << 64
      let banned = table.add(key, at: Instant(microseconds: time), weight: 1) != nil
      if banned != naive.add(key, time, 1) { Issue.record("differs at \(time)") }
    }
    #expect(table.evicted == 0)
    table.expire(before: Instant(microseconds: time + 20_000_000))
    #expect(table.count == 0)
  }

  @Test func memoryIsBoundedAndEvictionsCounted() {
    var table = WindowTable(limit: 3, findtime: .hours(1), capacity: 1000, seed: (1, 2))
    for n in 0..<10_000 { _ = table.add(UInt128(n), at: at(Int64(n) / 100), weight: 1) }
    #expect(table.count <= 1000)
    #expect(table.evicted >= 9_000)
  }
}
