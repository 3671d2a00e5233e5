public import Model
internal import SQLite

/// How far each source is read.
enum PositionTable {
  static func store(_ positions: [SourcePosition], _ db: Database) throws {
    for position in positions {
      let statement = try db.cached(
        "INSERT OR REPLACE INTO position (source, device, inode, fingerprint, length, place) VALUES (?,?,?,?,?,?)")
      switch position.position {
      case .file(let file, let offset):
        // 64 bits without a sign do not fit SQLite's integers: as text.
        try statement.run(
          position.source, String(file.device), String(file.inode), String(file.fingerprint), file.fingerprintLength,
          String(offset))
      case .journal(let cursor):
        try statement.run(position.source, nil, nil, nil, nil, cursor)
      }
    }
  }

  static func load(_ db: Database) throws -> [SourcePosition] {
    try db.rows("SELECT source, device, inode, fingerprint, length, place FROM position ORDER BY source").map(position)
      .compactMap { $0 }
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
}

extension AuditStore {
  /// How far each source had been read when the last batch was committed.
  public func positions() throws -> [SourcePosition] { try read { try PositionTable.load($0) } }

  /// Forgets sources that are no longer watched.
  public func forgetPositions(of sources: [String]) throws {
    try transaction { _, db in
      for source in sources { try db.run("DELETE FROM position WHERE source = ?", source) }
    }
  }
}
