internal import Model

/// Decisions as CrowdSec writes them: all seven members of each are needed by its bouncers.
struct DecisionJSON {
  private(set) var bytes: [UInt8] = []
  private let now: Instant

  init(now: Instant) { self.now = now }

  mutating func append(_ text: String) { bytes += text.utf8 }

  /// A list, or null where there is none.
  mutating func append(_ entries: [BanView.Entry], isOver: Bool = false) {
    guard !entries.isEmpty else { return append("null") }
    bytes.reserveCapacity(bytes.count + entries.count * 160)
    for (index, entry) in entries.enumerated() {
      append(index == 0 ? "[" : ",")
      append(entry, isOver)
    }
    append("]")
  }

  /// A jail's name has letters, digits, `-`, `_` and `.`, so nothing needs an escape.
  private mutating func append(_ entry: BanView.Entry, _ isOver: Bool) {
    append("{\"duration\":\"")
    append(isOver ? "-1s" : Self.duration(entry.until, now))
    append("\",\"id\":\(entry.identifier),\"origin\":\"\(DecisionFilter.origin)\",\"scenario\":\"")
    append(entry.scenario)
    append("\",\"scope\":\"\(entry.scope)\",\"type\":\"ban\",\"value\":\"\(entry.subnet)\"}")
  }

  /// Go's form. Above zero: a bouncer takes 0 as having no end, and what it cannot read as four hours.
  static func duration(_ until: Instant?, _ now: Instant) -> String {
    // A year: as long as bouncers hold for sure.
    guard let until else { return "8760h" }
    let left = max(1000, until.since(now).microseconds / 1000)
    return "\(left / 1000).\(String(1000 + left % 1000).dropFirst())s"
  }
}

extension BanView.Entry {
  /// A whole number that every JSON reader holds exactly, the same for the same ban (FNV-1a, 52 bits).
  var identifier: UInt64 {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in "\(jail) \(subnet)".utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
    return hash >> 12
  }
}
