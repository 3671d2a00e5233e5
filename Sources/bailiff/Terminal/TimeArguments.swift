import ArgumentParser
import Model
import Settings

/// How long: `90`, `10m`, `1h30m`, `2 weeks`.
func parseSpan(_ text: String) throws -> TimeSpan {
  do { return try TimeSpan(parsing: text) } catch { throw ValidationError(printable(error.description)) }
}

/// How long a ban lasts: a positive time, or `permanent`.
enum BanLength: ExpressibleByArgument {
  case seconds(Int64)
  case permanent

  init?(argument: String) {
    if argument == "permanent" || argument == "forever" {
      self = .permanent
    } else if let span = try? TimeSpan(parsing: argument), span.seconds > 0 {
      self = .seconds(span.seconds)
    } else {
      return nil
    }
  }

  /// As the API has it: negative is for ever.
  var bantime: Int64 {
    switch self {
    case .seconds(let seconds): seconds
    case .permanent: -1
    }
  }
}
