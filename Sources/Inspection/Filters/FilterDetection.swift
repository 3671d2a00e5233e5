internal import Filters
public import Matching
internal import Model
internal import Settings

/// Which filters find failures in a log.
public enum FilterDetection {
  /// Those that find any, most failures that count first.
  public static func run(_ filters: [Filter], on path: String, clock: LogClock) throws -> [DetectReply] {
    let set = FilterSet(filters)
    let history = LineHistory()
    var clock = clock
    var found = filters.map { DetectReply(filter: $0.definition.name, failures: 0, counted: 0, ids: []) }
    var seen = [Set<String>](repeating: [], count: filters.count)
    try LogLines.forEachBatch(in: path, units: filters.flatMap(\.definition.journalmatch)) { batch in
      history.ahead = []
      set.scan(batch.bytes.span, clock: &clock, history: history) { match, line, _ in
        let name = match.bytes(match.name, in: line)
        let id = name.isEmpty ? match.address.description : String(decoding: name, as: UTF8.self)
        found[match.filter].failures += 1
        if match.weight > 0 { found[match.filter].counted += 1 }
        if seen[match.filter].insert(id).inserted { found[match.filter].ids.append(id) }
      }
    }
    return found.filter { $0.failures > 0 }.sorted {
      ($1.counted, $1.failures, $0.filter) < ($0.counted, $0.failures, $1.filter)
    }
  }
}
