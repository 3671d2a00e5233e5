internal import LogSources
internal import Model
internal import System

/// What needs a person, worked out from what the daemon's parts say of themselves.
struct HealthFindings {
  typealias Finding = (subject: String, text: String)

  /// A jail that reads logs, and whether that is all that it reads.
  struct Watched {
    var name: String
    /// What it was told to read, for people.
    var sources: [String]
  }

  /// Jails of which no source can be read.
  var blind: [Finding] = []
  /// Sources that are there and cannot be read, of jails that have others.
  var failed: [Finding] = []
  /// Patterns that reach their limits.
  var limited: [Finding] = []
  /// Sources whose stamps are far from now.
  var clocks: [Finding] = []
  /// Sources with matches that are not believed.
  var distrusted: [Finding] = []

  /// A client who tries to forge lines is refused, and needs nobody; many of them may be honest ones.
  private static let fewestDistrusted = 5

  init(jails: [Watched], sources: [SourceReport], patterns: [StoppedPattern]) {
    var seeing: Set<String> = []
    var reasons: [String: [String]] = [:]
    for source in sources {
      switch source.status.state {
      case .reading, .ended: seeing.formUnion(source.jails)
      case .waiting(let reason), .failed(let reason):
        for jail in source.jails { reasons[jail, default: []].append(Self.named(source, reason)) }
      }
    }
    for jail in jails where !seeing.contains(jail.name) {
      let why = reasons[jail.name] ?? jail.sources.map { "nothing is at \($0) yet" }
      blind.append((jail.name, "none of its sources can be read: \(Self.list(why))"))
    }
    for source in sources {
      guard case .failed(let reason) = source.status.state, source.jails.contains(where: seeing.contains) else {
        continue
      }
      failed.append((source.status.info.name, reason))
    }
    for source in sources where source.distrusted >= Self.fewestDistrusted {
      distrusted.append(
        (
          source.status.info.name,
          "\(counted(source.distrusted, "line")) that match are not believed, because a client may have written them: "
            + "docs/filters.md, \"Who writes the line\", says what makes them tellable"
        ))
    }
    for source in sources {
      guard let offset = source.clockOffset else { continue }
      let amount = TimeSpan(seconds: abs(offset.seconds)).brief
      clocks.append(
        (
          source.status.info.name,
          "its stamps are \(amount) \(offset.seconds < 0 ? "behind" : "ahead"), so its lines count as of their arrival: set "
            + "the clock or the zone of what writes it, or `logtimezone`"
        ))
    }
    for pattern in patterns {
      let hits = "\(pattern.hits) \(pattern.hits == 1 ? "line" : "lines")"
      limited.append(
        (
          "\(pattern.pattern.filter)/\(pattern.pattern.name)",
          "stopped at its match limit on \(hits), which it did not judge; make it less ambiguous"
        ))
    }
  }

  /// Reasons name their source, unless they already do.
  private static func named(_ source: SourceReport, _ reason: String) -> String {
    let name = source.status.info.name
    return reason.contains(name) ? reason : "\(name): \(reason)"
  }

  private static func list(_ reasons: [String]) -> String {
    guard !reasons.isEmpty else { return "it has none" }
    let rest = reasons.count > 3 ? ", and \(reasons.count - 3) more" : ""
    return reasons.prefix(3).joined(separator: ", ") + rest
  }
}
