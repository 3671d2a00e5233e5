import Detection
import Model
import Testing

@testable import Settings

/// `limit:` and `record:` of a jail.
@Suite struct RateLimitTests {
  private static func read(_ keys: String) -> Settings.Reading {
    Settings.read(text: "jails: {a: {source: bans, \(keys)}}", file: "bailiff.yaml")
  }

  @Test(arguments: [
    ("5000/1s", 5000, 1), ("10/s", 10, 1), ("150/m", 150, 60), ("5/10s", 5, 10), ("requests", 150, 60),
    ("request-floods", 5000, 1), ("logins", 10, 1), ("connections", 5, 10), ("mails", 50, 1),
  ])
  func aRate(text: String, count: Int, seconds: Int64) throws {
    let reading = Self.read("limit: \(text), record: counts")
    #expect(reading.errors.map(\.description) == [])
    let limits = try #require(reading.settings.jails.first?.limits)
    #expect(limits.maxretry == count && limits.findtime == .seconds(seconds) && !limits.isRecorded)
  }

  @Test(arguments: ["0/1s", "5", "5/", "/s", "5/0s", "many", "5/1s/2", "5/soon", "-1/s"])
  func noRate(text: String) {
    let errors = Self.read("limit: '\(text)'").errors.map(\.description)
    #expect(errors.count == 1 && errors[0].contains("write for example 150/1m, or"), "\(errors)")
  }

  @Test func saidTwice() {
    let errors = Self.read("limit: 5/1s, maxretry: 3").errors.map(\.description)
    #expect(errors.count == 1 && errors[0].contains("drop `limit`, or the others"), "\(errors)")
  }

  @Test func eachIsRecordedUnlessTold() throws {
    #expect(try #require(Self.read("maxretry: 3").settings.jails.first).limits.isRecorded)
  }

  @Test(arguments: [
    ("address", Jail.Counting.address), ("[address]", .address), ("[address, user]", .user), ("[user, address]", .user),
  ])
  func whatIsCountedByItself(text: String, per: Jail.Counting) throws {
    let reading = Settings.read(text: "jails: {a: {source: reports, per: \(text)}}", file: "bailiff.yaml")
    #expect(reading.errors.map(\.description) == [])
    #expect(try #require(reading.settings.jails.first).limits.per == per)
  }

  @Test(arguments: [
    ("user", "write [address, user]: who did nothing is not banned for what another address did"),
    ("[address, user, app]", "write address, [address, user] or [address, app]"),
    ("[address, port]", "write address, [address, user] or [address, app]"),
    ("[]", "write address, [address, user] or [address, app]"),
    ("[address, app]", "write per: address, or a filter with (?<app>…) or fields: {app: …}"),
  ])
  func nothingToCountBy(text: String, remedy: String) {
    let errors = Self.read("per: \(text)").errors.map(\.description)
    #expect(errors.count == 1 && errors[0].contains(remedy), "\(errors)")
  }
}
