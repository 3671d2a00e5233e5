internal import LogSources

/// Which jails have seen something that their filters understand, and which sources are not what was meant.
struct Understood {
  private(set) var jails: Set<String> = []
  private(set) var problems: [HealthFindings.Finding] = []

  /// - Parameter filters: of each jail the filter's name.
  init(_ sources: [SourceReport], filters: [String: String]) {
    for source in sources {
      guard source.status.info.kind != .journal else {
        // Only what the jail asks for comes from there.
        if source.status.lines > 0 { jails.formUnion(source.jails) }
        continue
      }
      for jail in source.jails {
        let isAlive = source.understandings[jail].map { $0.isUnderstood || $0.isUnknowable } ?? false
        if isAlive || source.matched > 0 { jails.insert(jail) }
      }
    }
    for source in sources where source.matched == 0 {
      for (jail, understanding) in source.understandings.sorted(by: { $0.key < $1.key }) {
        guard let problem = understanding.problem(of: filters[jail] ?? jail) else { continue }
        // Of a log that many programs write one of the jail's others may be the right one.
        guard understanding.isForeign || !jails.contains(jail) else { continue }
        let name = source.status.info.name
        problems.append((name, "\(problem); `bailiff filter detect \(name)` tells which filter fits"))
        break
      }
    }
  }
}
