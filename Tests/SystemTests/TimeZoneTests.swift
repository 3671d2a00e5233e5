import Foundation
import Model
import Testing

@testable import System

@Suite struct TimeZoneTests {
  /// Foundation reads the same files with code of its own; every hour of change and the years after the last one agree.
  @Test(arguments: [
    "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Sao_Paulo", "Asia/Kolkata",
    "Africa/Casablanca",
    "Pacific/Apia", "Europe/Dublin", "Antarctica/Troll", "America/Nuuk", "Etc/GMT+5", "UTC",
  ])
  func agreesWithFoundation(name: String) throws {
    let ours = try #require(TimeZoneRules(name: name))
    let theirs = try #require(TimeZone(identifier: name))
    var time = Int64(0)
    while time < 2_300_000_000 {
      let expected = theirs.secondsFromGMT(for: Date(timeIntervalSince1970: Double(time)))
      #expect(ours.offset(at: Instant(seconds: time)) == expected, "\(name) at \(time)")
      time += 1_800 * 7 + 3_600 * 24 * 3
    }
    for change in ours.transitions.suffix(60) where change > 0 {
      for moment in [change - 1, change, change + 1] {
        let expected = theirs.secondsFromGMT(for: Date(timeIntervalSince1970: Double(moment)))
        #expect(ours.offset(at: Instant(seconds: moment)) == expected, "\(name) at \(moment)")
      }
    }
  }

  @Test func rulesOfTheEnvironment() throws {
    let berlin = try #require(PosixTimeZone("CET-1CEST,M3.5.0,M10.5.0/3"))
    // 2026-10-25 00:59:59Z is 02:59:59 CEST, a second later it is 02:00:00 CET.
    #expect(berlin.kind(at: 1_792_889_999) == .init(offset: 7200, abbreviation: "CEST"))
    #expect(berlin.kind(at: 1_792_890_000) == .init(offset: 3600, abbreviation: "CET"))
    #expect(PosixTimeZone("<+0330>-3:30")?.standard == .init(offset: 12_600, abbreviation: "+0330"))
    #expect(PosixTimeZone("EST5")?.standard.offset == -18_000)
    for wrong in ["", "C", "CET", "CET-1CEST", "CET-1CEST,M3.5.0", "CET-1CEST,M13.5.0,M10.5.0", "CET-1x", "<+03-3"] {
      #expect(PosixTimeZone(wrong) == nil, "\(wrong)")
    }
  }

  @Test func fixedOffsets() {
    #expect(TimeZoneRules(name: "UTC+0200")?.offset(at: Instant(seconds: 0)) == 7200)
    #expect(TimeZoneRules(name: "-03:30")?.offset(at: Instant(seconds: 0)) == -12_600)
    #expect(TimeZoneRules(name: "GMT")?.offset(at: Instant(seconds: 0)) == 0)
    for wrong in ["", "+25", "UTC+", "../etc/passwd", "Europe/Nowhere", "Europe", "+1260"] {
      #expect(TimeZoneRules(name: wrong) == nil, "\(wrong)")
    }
  }

  @Test func aDamagedFileIsNoZone() throws {
    let whole = try SmallFile.read("/usr/share/zoneinfo/Europe/Berlin")
    var generator = SystemRandomNumberGenerator()
    for length in stride(from: 0, to: whole.count, by: 7) { _ = TimeZoneRules(tzif: Array(whole[..<length])) }
    for _ in 0..<2000 {
      var bytes = whole
      for _ in 0..<4 { bytes[Int.random(in: 0..<bytes.count, using: &generator)] = .random(in: 0...255) }
      _ = TimeZoneRules(tzif: bytes)?.offset(at: Instant(seconds: 1_700_000_000))
    }
  }
}
