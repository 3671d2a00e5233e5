internal import Model
internal import SQLite

/// A failure as it is stored, with its texts as bytes: from an indexed row, or from a pending record.
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
  /// The rule of a web application firewall that was hit.
  var rule: WAFRule?
  var line: [UInt8] = []
  var last: (time: Int64, place: Int64, line: [UInt8])?

  static let columns =
    "f.id, f.time, f.address, f.origin, f.user, f.count, f.weight, f.place, f.shape, f.line, l.time, l.place, l.line,"
    + " f.rule"
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
    address = row.address(2)
    if address == nil { name = row[2] }
    if let user = row[4] as Int64? { self.user = try lookups.user(user, db) }
    line = row[9]
    if let shape = row[8] as Int64? {
      line = LineShape.join(
        try lookups.shape(shape, db), address: Array((address?.description ?? "").utf8), user: user, values: line)
    }
    if let time = row[10] as Int64? { last = (time, row[11], row[12]) }
    rule = try (row[13] as Int64?).map { try lookups.rule($0, db) }
  }

  init(
    number: Int64, time: Int64, origin: Int64, originKey: UInt64, count: Int64, weight: Int64, place: Int64
  ) {
    self.number = number
    self.time = time
    self.origin = origin
    self.originKey = originKey
    self.count = count
    self.weight = weight
    self.place = place
  }

  /// A committed record that is no row yet, from its batch's heads and lines.
  init(
    _ record: FailureRecord, number: Int64, _ heads: [UInt8], _ lines: LineDelta,
    _ ranges: (line: Range<Int>, last: Range<Int>)
  ) {
    let head = record.head
    self.init(
      number: number, time: head.time, origin: Int64(head.origin.number), originKey: head.origin.key,
      count: Int64(head.count), weight: Int64(head.weight), place: head.place)
    address = head.address
    name = Array(heads[record.name])
    user = Array(heads[record.user])
    line = Array(lines[ranges.line])
    if !record.rule.isEmpty {
      rule = RuleText.rule(String(decoding: heads[record.rule], as: UTF8.self), in: line.span)
    }
    last = head.last.map { ($0.time, $0.place, Array(lines[ranges.last])) }
  }

  /// The bytes that were committed.
  func write(to encoder: inout BatchEncoder) {
    let head = RecordHead(
      time: time, place: place, origin: OriginReference(number: UInt32(truncatingIfNeeded: origin), key: originKey),
      count: UInt32(truncatingIfNeeded: count), weight: UInt32(truncatingIfNeeded: weight), address: address,
      last: last.map { ($0.time, $0.place) })
    let lastLine = last?.line ?? []
    let rule = Array((rule?.id ?? "").utf8)
    encoder.append(
      head, name: name.span, user: user.span, rule: rule.span, line: line.span, lastLine: lastLine.span)
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
    if let rule { (row.rule, row.message, row.severity) = (rule.id, rule.message, rule.severity) }
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
