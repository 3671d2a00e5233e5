import ArgumentParser
import Inspection
import Model
import Settings
import System

/// How long: `90`, `10m`, `1h30m`, `2 weeks`.
func parseSpan(_ text: String) throws -> TimeSpan {
  do { return try TimeSpan(parsing: text) } catch {
    throw ValidationError(printable("\(error); write for example 10m or 2d"))
  }
}

/// How long a ban lasts: a positive time, or `permanent`; as the API has it: negative is permanently.
func parseBanTime(_ text: String) throws -> Int64 {
  if text == "permanent" || text == "forever" { return -1 }
  let span = try parseSpan(text)
  guard span.seconds > 0 else {
    throw ValidationError("`\(printable(text))` is no time to ban for; write for example 10m, 2d or permanent")
  }
  return span.seconds
}

/// A moment in the past as people write it.
func parsePast(_ text: String, option: String) throws(RequestError) -> Instant {
  try PastTime.parse(text, option: option, now: SystemClock.now())
}

/// `--since` and `--until`.
func parseRange(since: String?, until: String?) throws -> (since: Instant?, until: Instant?) {
  let from = try since.map { try parsePast($0, option: "--since") }
  let to = try until.map { try parsePast($0, option: "--until") }
  if let from, let to, from >= to {
    throw CommandFailure(
      .usage, "--since (\(LocalTime.text(from))) is not before --until (\(LocalTime.text(to))); swap them")
  }
  return (from, to)
}

/// `--ip`.
func parseSubnet(_ ip: String?) throws(CommandFailure) -> Subnet? {
  guard let ip else { return nil }
  guard let subnet = Subnet(ip) else {
    throw CommandFailure(
      .usage, "--ip `\(ip)` is no address or block; write 192.0.2.7, 192.0.2.0/24 or 2001:db8::/32")
  }
  return subnet
}
