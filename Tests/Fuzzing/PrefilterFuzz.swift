import Fail2banMatching
import Filters
import Matching
import Model

/// Lines found through the prefilter are those that PCRE2 alone finds, whatever the patterns are.
enum PrefilterFuzz {
  /// Lines before the first empty one are patterns (`<host>` is added to those that lack it), the rest is a log. An odd
  /// first byte makes them fail2ban's.
  static func run(_ input: [UInt8]) {
    guard let first = input.first else { return }
    let lines = input.dropFirst().split(separator: 10, omittingEmptySubsequences: false)
    let end = lines.firstIndex { $0.isEmpty } ?? lines.endIndex
    let patterns = lines[..<end].prefix(4).compactMap { String(validating: $0, as: UTF8.self) }
    guard !patterns.isEmpty, patterns.allSatisfy({ $0.utf8.count < 300 }), end < lines.endIndex else { return }
    let filters = patterns.enumerated().compactMap { number, pattern in
      try? Filter(
        FilterDefinition(
          name: "f\(number)", file: "fuzz", rules: first & 1 == 0 ? native([pattern]) : fail2ban([pattern])))
    }
    guard !filters.isEmpty else { return }
    let text = Array(lines[(end + 1)...].joined(separator: [10]))
    guard let alone = found(filters, text, isPrefiltered: false),
      let scanned = found(filters, text, isPrefiltered: true)
    else { return }
    require(alone == scanned, "PCRE2 alone finds \(alone), the prefilter \(scanned)")
  }

  private static func native(_ patterns: [String]) -> FilterDefinition.Rules {
    .native(
      NativeRules(
        programs: [],
        patterns: patterns.map {
          PatternDefinition(name: "p", match: $0.contains("host>") ? $0 : "\($0).*?<host>")
        }))
  }

  private static func fail2ban(_ patterns: [String]) -> FilterDefinition.Rules {
    .fail2ban(Fail2banRules(failregex: patterns.map { $0.contains("HOST>") ? $0 : "\($0).*?<HOST>" }))
  }

  /// Nil when a pattern was stopped at a limit: then nobody knows what it would have found.
  private static func found(_ filters: [Filter], _ text: [UInt8], isPrefiltered: Bool) -> [String]? {
    let set = FilterSet(filters, isPrefiltered: isPrefiltered)
    var clock = LogClock(now: Instant(seconds: 1_795_000_000), zone: ZoneOffsets(name: "UTC")!)
    var found: [String] = []
    set.scan(text.span, clock: &clock, history: LineHistory()) { match, _, offset in
      found.append("\(offset): \(match.filter) \(match.pattern) \(match.address) \(match.time)")
    }
    return set.counts.gaveUp == 0 ? found : nil
  }
}
