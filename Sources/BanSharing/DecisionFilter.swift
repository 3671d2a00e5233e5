internal import HTTPServing
internal import Model

/// Which decisions a bouncer wants, as its query says.
struct DecisionFilter {
  private var origins: [String]
  private var scopes: [String]
  private var containing: [String]
  private var notContaining: [String]
  private var types: [String]

  static let origin = "bailiff"

  init(_ request: HTTPRequest) {
    func list(_ name: String) -> [String] {
      request.query(name).map { $0.split(separator: ",").map { String($0).lowercased() } } ?? []
    }
    origins = list("origins")
    scopes = list("scopes") + list("scope")
    containing = list("scenarios_containing")
    notContaining = list("scenarios_not_containing")
    types = list("type")
  }

  func wants(_ entry: BanView.Entry) -> Bool {
    let scenario = entry.scenario.lowercased()
    return (origins.isEmpty || origins.contains(Self.origin))
      && (scopes.isEmpty || scopes.contains(entry.scope.lowercased())) && (types.isEmpty || types.contains("ban"))
      && (containing.isEmpty || containing.contains { scenario.contains($0) })
      && !notContaining.contains { scenario.contains($0) }
  }
}

extension BanView.Entry {
  var scope: String { subnet.isSingleAddress ? "Ip" : "Range" }
  var scenario: String { "bailiff/\(jail)" }
}
