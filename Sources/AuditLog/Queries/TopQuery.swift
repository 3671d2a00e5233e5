public import Model
internal import SQLite

/// What `top` counts by.
public enum TopKey: String, Sendable, CaseIterable {
  case ip
  /// /24 of IPv4, /48 of IPv6.
  case prefix
  case user
  case jail
  case pattern
  /// What was tried: several filters' patterns (`AttackKind`).
  case kind
  case source
  /// Of web application firewalls.
  case rule
  case hour
  /// Where the addresses are from, by databases that the asker knows.
  case country
  /// The autonomous system.
  case network

  /// Is it a name that `AddressNaming` has for an address?
  public var isOrigin: Bool { self == .country || self == .network }
}

public struct TopEntry: Hashable, Sendable {
  public var name: String
  public var failures: Int
  /// Bans that began in the time asked about; only by ip, prefix and jail.
  public var bans: Int
  /// What is known of it: of a rule, its message.
  public var detail = ""

  public init(name: String, failures: Int, bans: Int = 0) {
    self.name = name
    self.failures = failures
    self.bans = bans
  }
}

public struct TopResult: Hashable, Sendable {
  /// What was counted.
  public var since: Instant
  public var until: Instant
  /// Most failures first; hours in their order.
  public var entries: [TopEntry]
  /// All failures of that time, also those not listed.
  public var total: Int
  /// How many different names there were.
  public var distinct: Int

  public init(since: Instant, until: Instant, entries: [TopEntry], total: Int, distinct: Int) {
    self.since = since
    self.until = until
    self.entries = entries
    self.total = total
    self.distinct = distinct
  }
}

/// What an address is counted under, and what is known of that; nil where nothing is known of the address.
public typealias AddressNaming = (Address) -> (name: String, detail: String)?

extension AuditReader {
  /// The `limit` names with the most failures from `since` to before `until`.
  /// - Parameter naming: countries or networks, for those keys.
  public func top(
    by key: TopKey, since: Instant, until: Instant = Instant(microseconds: .max), limit: Int = 20,
    naming: AddressNaming? = nil
  ) throws -> TopResult {
    try read { db, lookups in
      var counter = TopCounter(key, since, until, naming)
      try counter.count(&lookups, db)
      return try counter.result(limit, &lookups, db)
    }
  }
}

/// Adds up failures by name: whole segments from what they say of themselves, the others row by row.
private struct TopCounter {
  private let key: TopKey
  private let since: Instant
  private let until: Instant
  private let naming: AddressNaming?
  private var addresses: [Address: Int] = [:]
  /// Ids that are names, or users.
  private var texts = ByteTable()
  private var textSums: [Int] = []
  private var templates: [Int64: Int] = [:]
  private var hours: [Int64: Int] = [:]

  init(_ key: TopKey, _ since: Instant, _ until: Instant, _ naming: AddressNaming?) {
    self.naming = naming
    self.key = key
    self.since = since
    self.until = until
  }

  // MARK: Counting

  mutating func count(_ lookups: inout Lookups, _ db: Database) throws {
    let (first, last) = (since.microseconds, until.microseconds &- 1)
    for region in try Region.all(db) where region.overlaps(first, last) {
      if let segment = region.segment, segment.times.lowerBound >= first, segment.times.upperBound <= last {
        try add(segment, db)
      } else {
        try region.forEachBatch(db, since: first, until: last) { batch in
          var decoder = RowDecoder(batch)
          var reader = batch.reader
          while let row = reader.next(batch.rows.span) {
            guard row.time >= first, row.time <= last else { continue }
            try add(row, number: decoder.number(reader.index), &decoder, db)
          }
        }
      }
    }
  }

  private mutating func add(_ segment: Segment, _ db: Database) throws {
    switch key {
    case .ip, .prefix, .country, .network:
      try PostingIndex.forEach(segment, PostingBound.ids, db) { posting, _ in
        if let address = posting.address {
          addresses[key == .prefix ? Self.prefix(of: address).base : address, default: 0] += Int(
            clamping: posting.failures)
        } else if key != .prefix {
          addText(posting.key.span.extracting(1..<posting.key.count), Int(clamping: posting.failures))
        }
      }
    case .user:
      try PostingIndex.forEach(segment, PostingBound.users, db) { posting, _ in
        addText(posting.key.span.extracting(1..<posting.key.count), Int(clamping: posting.failures))
      }
    default:
      for count in try SegmentTable.counts(of: segment, db) {
        add(count.template, hour: count.hour, Int(clamping: count.failures))
      }
    }
  }

  private mutating func add(_ row: BatchRow, number: Int64, _ decoder: inout RowDecoder, _ db: Database) throws {
    let count = Int(row.count)
    switch key {
    case .ip, .prefix, .country, .network:
      if let address = row.address {
        addresses[key == .prefix ? Self.prefix(of: address).base : address, default: 0] += count
      } else if key != .prefix {
        try decoder.readNames(row, number: number, db)
        addText(decoder.name.span, count)
      }
    case .user:
      try decoder.readNames(row, number: number, db)
      if !decoder.user.isEmpty { addText(decoder.user.span, count) }
    default: add(row.template, hour: Hour.of(row.time), count)
    }
  }

  private mutating func addText(_ text: borrowing Span<UInt8>, _ count: Int) {
    let number = texts.number(of: text)
    if number == textSums.count { textSums.append(0) }
    textSums[number] += count
  }

  private mutating func add(_ template: Int64, hour: Int64, _ count: Int) {
    if key == .hour { hours[hour, default: 0] += count } else { templates[template, default: 0] += count }
  }

  private static func prefix(of address: Address) -> Subnet { Subnet(address, ipv4Prefix: 24, ipv6Prefix: 48) }

  // MARK: Names

  func result(_ limit: Int, _ lookups: inout Lookups, _ db: Database) throws -> TopResult {
    var entries: [TopEntry]
    var sums: [String: Int] = [:]
    switch key {
    case .ip, .prefix, .user:
      let named = Self.highest(addresses.lazy.map { ($0.key, $0.value) }, limit, before: <).map { address, count in
        TopEntry(name: key == .ip ? address.description : Self.prefix(of: address).description, failures: count)
      }
      let numbered = textSums.lazy.enumerated().map { ($0.offset, $0.element) }
      let others = Self.highest(numbered, limit, before: { texts[$0].lexicographicallyPrecedes(texts[$1]) }).map {
        TopEntry(name: String(decoding: texts[$0], as: UTF8.self), failures: $1)
      }
      entries = Array((named + others).sorted(by: Self.isBefore).prefix(limit))
    case .country, .network: return origins(limit)
    case .hour:
      entries = hours.sorted { $0.key < $1.key }.map {
        TopEntry(name: Instant(microseconds: Hour.start($0.key)).rfc3339(), failures: $0.value)
      }
    default:
      var details: [String: String] = [:]
      for (number, count) in templates {
        guard let name = try name(of: number, &details, &lookups, db) else { continue }
        sums[name, default: 0] += count
      }
      entries = Self.highest(sums.lazy.map { ($0.key, $0.value) }, limit, before: <).map {
        TopEntry(name: $0, failures: $1)
      }
      for i in entries.indices { entries[i].detail = details[entries[i].name] ?? "" }
    }
    for i in entries.indices { entries[i].bans = try bans(of: entries[i].name, db) }
    let distinct = addresses.count + textSums.count + hours.count + sums.count
    let total = [
      addresses.values.reduce(0, +), textSums.reduce(0, +), hours.values.reduce(0, +), sums.values.reduce(0, +),
    ]
    return TopResult(
      since: since, until: until, entries: entries, total: total.reduce(0, +), distinct: distinct)
  }

  /// Addresses by where they are from; what nobody knows, names included, is together.
  private func origins(_ limit: Int) -> TopResult {
    var sums: [String: Int] = [:]
    var details: [String: String] = [:]
    for (address, count) in addresses {
      let found = naming?(address)
      let name = found?.name ?? Self.unknown
      sums[name, default: 0] += count
      if let found, !found.detail.isEmpty { details[name] = found.detail }
    }
    let named = textSums.reduce(0, +)
    if named > 0 { sums[Self.unknown, default: 0] += named }
    let entries = Self.highest(sums.lazy.map { ($0.key, $0.value) }, limit, before: <).map { name, count in
      var entry = TopEntry(name: name, failures: count)
      entry.detail = details[name] ?? ""
      return entry
    }
    return TopResult(
      since: since, until: until, entries: entries, total: sums.values.reduce(0, +), distinct: sums.count)
  }

  private static let unknown = "unknown"

  /// Nil: the template has none of these.
  private func name(
    of template: Int64, _ details: inout [String: String], _ lookups: inout Lookups, _ db: Database
  ) throws -> String? {
    guard let key = try lookups.template(template, db)?.key else { return nil }
    let origin = try lookups.origin(key.origin, db)
    switch self.key {
    case .jail: return origin.jail
    case .source: return origin.source
    case .kind: return AttackKind.name(ofPattern: origin.pattern)
    case .rule:
      guard !key.rule.isEmpty else { return nil }
      let rule = try lookups.rule(key.rule, db)
      details[rule.id] = [rule.message, rule.severity].filter { !$0.isEmpty }.joined(separator: ", ")
      return rule.id
    default: return "\(origin.filter)/\(origin.pattern)"
    }
  }

  private func bans(of name: String, _ db: Database) throws -> Int {
    var sql = Conditions()
    switch key {
    case .ip, .prefix: sql.add(about: Identity(name))
    case .jail: sql.add("jail = ?", name)
    default: return 0
    }
    // `+`: by the address, not through every decision of that time.
    let time = key == .jail ? "time" : "+time"
    sql.add("action = 'ban' AND \(time) >= ? AND \(time) < ?", since.microseconds, until.microseconds)
    return try db.first("SELECT count(*) FROM decision WHERE \(sql.text)", sql.arguments) ?? 0
  }

  private static func isBefore(_ a: TopEntry, _ b: TopEntry) -> Bool {
    a.failures != b.failures ? a.failures > b.failures : a.name < b.name
  }

  /// The highest `limit` of very many, without sorting them all.
  private static func highest<Name>(
    _ sums: some Sequence<(Name, Int)>, _ limit: Int, before isBefore: (Name, Name) -> Bool
  ) -> [(Name, Int)] {
    guard limit > 0 else { return [] }
    var best: [(Name, Int)] = []
    for (name, count) in sums where best.count < limit || count >= best[best.count - 1].1 {
      let at = best.firstIndex { count > $0.1 || (count == $0.1 && isBefore(name, $0.0)) } ?? best.count
      best.insert((name, count), at: at)
      if best.count > limit { best.removeLast() }
    }
    return best
  }
}
