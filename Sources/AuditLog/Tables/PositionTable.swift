public import Model
internal import SQLite

/// How far each source is read. What moved with a transaction is stored in its own row, so that a commit touches one page; now and
/// then, and when nothing but positions moved, it goes into the table `position`.
struct PositionTable {
  /// As of these transactions, by source; what the table does not have yet.
  private var moved: [String: SourcePosition] = [:]

  /// After so many transactions what moved goes into the table.
  private static let stride: Int64 = 64

  // MARK: Reading

  /// Of the table and of the newest transactions the later one counts.
  static func load(_ db: Database) throws -> [SourcePosition] {
    var found: [String: (batch: Int64, position: SourcePosition)] = [:]
    let rows = try db.rows("SELECT source, device, inode, fingerprint, length, place, batch FROM position")
    while let row = try rows.next() {
      if let position = position(row) { found[position.source] = (row[6], position) }
    }
    // In their order: a transaction may have a source twice, once where it was before a rotation, and the later place counts.
    var newest: [String: (batch: Int64, position: SourcePosition)] = [:]
    for (batch, position) in try inBatches(db) { newest[position.source] = (batch, position) }
    for (source, known) in newest where found[source].map({ $0.batch < known.batch }) ?? true { found[source] = known }
    return found.values.map(\.position).sorted { $0.source < $1.source }
  }

  private static func inBatches(_ db: Database) throws -> [(batch: Int64, position: SourcePosition)] {
    func value(_ index: Int) -> String { "json_extract(p.value, '$[\(index)]')" }
    let rows = try db.rows(
      """
      SELECT \((0...5).map(value).joined(separator: ", ")), b.id FROM batch b, json_each(b.positions) p
      WHERE b.id > (SELECT max(id) FROM batch) - ? AND b.positions IS NOT NULL ORDER BY b.id, p.key
      """, 4 * stride)
    var found: [(batch: Int64, position: SourcePosition)] = []
    while let row = try rows.next() {
      if let position = position(row) { found.append((row[6], position)) }
    }
    return found
  }

  private static func position(_ row: Row) -> SourcePosition? {
    let place: String = row[5]
    guard let device = row[1] as String? else {
      return SourcePosition(source: row[0], position: .journal(cursor: place))
    }
    guard let device = UInt64(device), let inode = (row[2] as String?).flatMap({ UInt64($0) }),
      let fingerprint = (row[3] as String?).flatMap({ UInt64($0) }), let offset = UInt64(place)
    else { return nil }
    let identity = FileIdentity(device: device, inode: inode, fingerprint: fingerprint, fingerprintLength: row[4] ?? 0)
    return SourcePosition(source: row[0], position: .file(identity, offset: offset))
  }

  // MARK: Writing

  init() {}

  /// With what the newest transactions have and the table has not.
  init(_ db: Database) throws {
    for position in try Self.load(db) { moved[position.source] = position }
    let rows = try db.rows("SELECT source, batch FROM position")
    let inBatches = try Self.inBatches(db)
    while let row = try rows.next() {
      let (source, batch): (String, Int64) = (row[0], row[1])
      if !inBatches.contains(where: { $0.position.source == source && $0.batch > batch }) { moved[source] = nil }
    }
  }

  /// What goes into a transaction's row: `[[source, device, inode, fingerprint, length, place], …]`. 64 bits without a sign do not
  /// fit SQLite's integers: as texts.
  mutating func note(_ positions: [SourcePosition]) -> [UInt8] {
    guard !positions.isEmpty else { return [] }
    var text: [UInt8] = []
    for position in positions {
      moved[position.source] = position
      text.append(UInt8(ascii: text.isEmpty ? "[" : ","))
      text.append(UInt8(ascii: "["))
      for (i, value) in Self.values(position).enumerated() {
        if i > 0 { text.append(UInt8(ascii: ",")) }
        guard let value else {
          text += Array("null".utf8)
          continue
        }
        let bytes = Array(value.utf8)
        text.append(addingCapacity: JSONText.expansion * bytes.count + 2) { JSONText.append(bytes.span, to: &$0) }
      }
      text.append(UInt8(ascii: "]"))
    }
    return text + [UInt8(ascii: "]")]
  }

  private static func values(_ position: SourcePosition) -> [String?] {
    switch position.position {
    case .file(let file, let offset):
      [
        position.source, String(file.device), String(file.inode), String(file.fingerprint),
        String(file.fingerprintLength), String(offset),
      ]
    case .journal(let cursor): [position.source, nil, nil, nil, nil, cursor]
    }
  }

  /// Stores positions that moved alone, as of the transaction `batch`, with what moved before.
  mutating func store(_ positions: [SourcePosition], batch: Int64, _ db: Database) throws {
    for position in positions { moved[position.source] = position }
    for (_, position) in moved.sorted(by: { $0.key < $1.key }) {
      let values = Self.values(position)
      try db.run(
        "INSERT OR REPLACE INTO position (source, device, inode, fingerprint, length, place, batch) VALUES (?,?,?,?,?,?,?)",
        values[0], values[1], values[2], values[3], values[4].flatMap { Int64($0) }, values[5], batch)
    }
    moved.removeAll(keepingCapacity: true)
  }

  /// After transactions from `first` to `last`.
  mutating func storeNowAndThen(after first: Int64, _ last: Int64, _ db: Database) throws {
    guard !moved.isEmpty, first / Self.stride != last / Self.stride else { return }
    try store([], batch: last, db)
  }
}

extension AuditStore {
  /// How far each source had been read when the last batch was committed.
  public func positions() throws -> [SourcePosition] { try read { try PositionTable.load($0) } }
}
