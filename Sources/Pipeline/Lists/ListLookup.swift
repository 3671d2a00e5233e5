public import Model
public import Settings
internal import System

/// What the lists of the settings and people's allowances say of an address, read from where they are kept: for whoever asks
/// without the daemon.
public struct ListLookup: Sendable {
  private let held: HeldLists
  private let sources: [String: String]

  public init(_ settings: Settings) {
    let allowances = try? Allowances(path: settings.state + "/allowed", at: SystemClock.now())
    let keeper = ListKeeper(settings, allowances: allowances ?? Allowances())
    held = keeper.held
    sources = Dictionary(keeper.reports.map { ($0.name, $0.source) }, uniquingKeysWith: { first, _ in first })
  }

  /// The lists that block it or a part of it, with the entry and where the list is from.
  public func blocking(_ subnet: Subnet) -> [(list: String, entry: Subnet, source: String)] {
    held.naming(subnet).map { ($0.list, $0.entry, sources[$0.list] ?? "the settings") }
  }

  /// The entry that spares it.
  public func allowing(_ subnet: Subnet) -> Subnet? { held.allowed.overlapping(subnet) }
}
