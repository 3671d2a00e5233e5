import ArgumentParser
import Model

/// `--since` and `--until`.
struct RangeOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp("From then on: 24h, today, 2026-11-21, \"2026-11-21 05:24\", RFC 3339.", valueName: "time"))
  var since: String?
  @Option(help: ArgumentHelp("Before then.", valueName: "time"))
  var until: String?

  func range() throws -> (since: Instant?, until: Instant?) { try parseRange(since: since, until: until) }
}
