internal import Foundation
internal import GRDB
internal import Model

/// A failure as it is stored, with its texts as bytes: from a settled row, or from a pending record.
struct FailureRow {
  var number: Int64
  var time: Int64
  var address: Address?
  var name: [UInt8] = []
  var origin: Int64
  /// Of what `origin` means: were that changed, the row would no longer agree with its hash.
  var originKey: UInt64
  var user: [UInt8] = []
  var count: Int64
  var weight: Int64
  var place: Int64
  var line: [UInt8] = []
  var last: (time: Int64, place: Int64, line: [UInt8])?

  static let columns =
    "f.id, f.time, f.address, f.origin, f.user, f.count, f.weight, f.place, f.shape, f.line, l.time, l.place, l.line"
  static let join = "LEFT JOIN last_line l ON l.id = f.id"

  /// A row of `columns`.
  init(_ row: Row, _ lookups: inout Lookups, _ db: Database) throws {
    number = row[0]
    time = row[1]
    origin = row[3]
    originKey = try lookups.origin(row[3], db).key
    count = row[5]
    weight = row[6]
    place = row[7]
    let id: DatabaseValue = row[2]
    address = AddressKey.fromDatabaseValue(id)?.address
    if address == nil { name = StoredText.bytes(id) }
    if let user = row[4] as Int64? { self.user = try lookups.user(user, db) }
    line = StoredText.bytes(row[9])
    if let shape = row[8] as Int64? {
      line = LineShape.join(
        try lookups.shape(shape, db), address: Array((address?.description ?? "").utf8), user: user, values: line)
    }
    if let time = row[10] as Int64? { last = (time, row[11], StoredText.bytes(row[12])) }
  }

  /// A committed record that is no row yet.
  init(_ record: FailureRecord, number: Int64, bytes: [UInt8]) {
    self.number = number
    time = record.time
    address = record.address
    name = Array(bytes[record.name])
    origin = Int64(record.origin)
    originKey = record.originKey
    user = Array(bytes[record.user])
    count = Int64(record.count)
    weight = Int64(record.weight)
    place = record.place
    line = Array(bytes[record.line])
    last = record.last.map { ($0.time, $0.place, Array(bytes[$0.line])) }
  }

  /// The bytes that were committed: see `FailureEncoder`.
  func write(to writer: inout ByteWriter) {
    writer.integer(time)
    writer.integer(place)
    writer.integer(UInt32(truncatingIfNeeded: origin))
    writer.integer(originKey)
    writer.integer(UInt32(truncatingIfNeeded: count))
    writer.integer(UInt32(truncatingIfNeeded: weight))
    let fold = last == nil ? 0 : RecordKind.folded
    if let address {
      if address.isIPv4 {
        writer.bytes.append(RecordKind.ipv4 | fold)
        writer.integer(address.ipv4)
      } else {
        writer.bytes.append(RecordKind.ipv6 | fold)
        writer.integer(address.bits)
      }
    } else {
      writer.bytes.append(RecordKind.name | fold)
      writer.counted(name)
    }
    writer.counted(user)
    writer.counted(line)
    guard let last else { return }
    writer.integer(last.time)
    writer.integer(last.place)
    writer.counted(last.line)
  }

  func auditRow(_ lookups: inout Lookups, _ db: Database) throws -> AuditRow {
    let origin = try lookups.origin(origin, db)
    var row = AuditRow(kind: .failure, number: number, time: Instant(microseconds: time), action: "failure")
    row.jail = origin.jail
    row.id = address?.description ?? String(decoding: name, as: UTF8.self)
    row.count = Int(count)
    row.user = String(decoding: user, as: UTF8.self)
    row.filter = origin.filter
    row.pattern = origin.pattern
    row.filterFile = origin.file
    row.source = origin.source
    row.weight = Int(weight)
    row.line = String(decoding: line, as: UTF8.self)
    if origin.journal.isEmpty {
      row.offset = place
      row.lastOffset = last?.place
    } else {
      row.cursor = JournalCursor(journal: origin.journal, sequence: place).text
    }
    row.lastTime = last.map { Instant(microseconds: $0.time) }
    row.lastLine = last.map { String(decoding: $0.line, as: UTF8.self) }
    return row
  }
}

extension ByteWriter {
  mutating func counted(_ text: [UInt8]) {
    integer(UInt16(truncatingIfNeeded: text.count))
    bytes.append(contentsOf: text)
  }
}
