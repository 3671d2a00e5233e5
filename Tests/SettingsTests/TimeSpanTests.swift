import Model
import Testing

@testable import Settings

struct TimeSpanTests {
  /// The values are what fail2ban 1.0.2 prints for them (`fail2ban-client --str2sec`).
  @Test(arguments: [
    ("90", 90), ("10m", 600), ("1h30m", 5400), ("1h 30m", 5400), ("1 hour 30 min", 5400), ("0d 1h 30m", 5400),
    ("1year-6mo", 15_778_800), ("6 months", 15_778_800), ("1w", 604_800), ("1d12h", 129_600), ("2mon", 5_259_600),
    ("60*10", 600), ("2*30m", 3600), ("1h+30m", 5400), ("1h - 30m", 1800), ("-1", -1), ("-1h", -3600), ("1H", 3600),
    ("1.5h", 5400), ("1d-1h30m", 84_600), ("  5 s ", 5),
  ]) func parses(text: String, seconds: Int64) throws {
    #expect(try TimeSpan(parsing: text) == .seconds(seconds))
  }

  @Test func keepsFractions() throws {
    #expect(try TimeSpan(parsing: "0.25") == TimeSpan(microseconds: 250_000))
  }

  @Test(arguments: [
    "", " ", "h", "1x", "1h+", "*2", "1..2h", ".", "1h30mm30x", "10:30", "1e9", "0x10", "1_000",
    "99999999999999999999y",
    "9999999*9999999y", "1 h\u{301}", "１h", "nan", "inf", "--1",
  ]) func refuses(text: String) {
    #expect(throws: TimeSpanError.self) { try TimeSpan(parsing: text) }
  }

  /// A day's text of one unit is that unit's seconds, whichever of its words is written.
  @Test func minutesAreNotMonths() throws {
    #expect(try TimeSpan(parsing: "1m") == .minutes(1))
    #expect(try TimeSpan(parsing: "1mo") == .seconds(2_629_800))
  }

  @Test func refusesHugeTexts() {
    #expect(throws: TimeSpanError.self) { try TimeSpan(parsing: String(repeating: "1h+", count: 100_000)) }
  }

  @Test(
    arguments: [
      ("1", 1), ("2K", 2048), ("2KiB", 2048), ("2kB", 2000), ("1.5MiB", 1_572_864), ("2GiB", 2_147_483_648),
      ("1 TB", 1_000_000_000_000),
    ] as [(String, Int64)]) func sizes(text: String, bytes: Int64)
  {
    #expect(ByteSize.parse(text) == bytes)
  }

  @Test(arguments: ["", "x", "-1", "1XB", "1e30T", "99999999999999999999"]) func badSizes(text: String) {
    #expect(ByteSize.parse(text) == nil)
  }
}
