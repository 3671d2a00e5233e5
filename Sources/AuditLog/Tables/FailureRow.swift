internal import Model
internal import SQLite

/// A failure as it is stored, with its texts as bytes.
struct FailureRow {
  var number: Int64
  var time: Int64
  var address: Address?
  var name: [UInt8] = []
  var origin: UInt32
  var user: [UInt8] = []
  var count: UInt32
  var weight: UInt32
  var place: Int64
  /// The rule of a web application firewall that was hit.
  var rule: [UInt8] = []
  var line: [UInt8] = []
  var last: (time: Int64, place: Int64, line: [UInt8])?
}

/// Puts rows of one batch together. Its memory is used again from row to row.
struct RowDecoder {
  let batch: Batch
  private let ranges: [Range<Int>]
  private var stamp: [UInt8] = []
  private var stampOf: (time: Int64, template: Int64) = (.min, 0)
  private var address: [UInt8] = []
  /// The texts of the row that was read last, as far as they were asked for.
  private(set) var name: [UInt8] = []
  private(set) var user: [UInt8] = []
  private(set) var line: [UInt8] = []
  private(set) var lastLine: [UInt8] = []

  init(_ batch: Batch) {
    self.batch = batch
    ranges = batch.userRanges()
  }

  /// The number of a row by its index.
  func number(_ index: Int) -> Int64 { batch.numbers.lowerBound + Int64(index) }

  /// Reads the id where it is a name, and the user.
  mutating func readNames(_ row: BatchRow, number: Int64, _ db: Database) throws {
    name.removeAll(keepingCapacity: true)
    user.removeAll(keepingCapacity: true)
    guard !row.isRaw else { return try readRaw(number, db) }
    let bytes = batch.rows
    let rows = bytes.span
    if row.address == nil { _ = JSONText.unescape(rows.extracting(row.name), to: &name) }
    if row.userNumber > 0, row.userNumber <= ranges.count {
      let users = batch.users
      _ = JSONText.unescape(users.span.extracting(ranges[row.userNumber - 1]), to: &user)
    } else if !row.user.isEmpty {
      _ = JSONText.unescape(rows.extracting(row.user), to: &user)
    }
  }

  /// Reads the line, too.
  mutating func readLine(_ row: BatchRow, number: Int64, _ template: Template?, _ db: Database) throws {
    try readNames(row, number: number, db)
    guard !row.isRaw else { return }
    line.removeAll(keepingCapacity: true)
    lastLine.removeAll(keepingCapacity: true)
    let bytes = batch.rows
    let rows = bytes.span
    var values = ValueReader(row.values)
    if let template, template.key.text != nil {
      writeStamp(template, row.time)
      address.removeAll(keepingCapacity: true)
      if let known = row.address { address.append(contentsOf: known.description.utf8) }
      let (address, user, stamp) = (address, user, stamp)
      template.join(address: address.span, user: user.span, stamp: stamp.span, to: &line) {
        _ = values.next(rows, to: &$0)
      }
    } else {
      _ = values.next(rows, to: &line)
    }
    _ = JSONText.unescape(rows.extracting(row.lastLine), to: &lastLine)
  }

  private mutating func writeStamp(_ template: Template, _ time: Int64) {
    guard let form = template.stampForm, stampOf != (time, template.number) else { return }
    stampOf = (time, template.number)
    stamp.removeAll(keepingCapacity: true)
    form.write(time, zone: template.key.zone, to: &stamp)
  }

  private mutating func readRaw(_ number: Int64, _ db: Database) throws {
    (name, user, line, lastLine) = ([], [], [], [])
    guard let raw = try db.rows("SELECT name, user, line, last FROM raw WHERE id = ?", number).next() else { return }
    (name, user, line, lastLine) = (raw[0], raw[1], raw[2], raw[3])
  }

  /// Everything of a row.
  mutating func decode(_ row: BatchRow, index: Int, _ lookups: inout Lookups, _ db: Database) throws -> FailureRow {
    let template = try lookups.template(row.template, db)
    let number = number(index)
    try readLine(row, number: number, template, db)
    let key = template?.key
    return FailureRow(
      number: number, time: row.time, address: row.address, name: name, origin: key?.origin ?? 0, user: user,
      count: row.count, weight: key?.weight ?? 1, place: row.place, rule: key?.rule ?? [], line: line,
      last: row.last.map { ($0.time, $0.place, lastLine) })
  }
}

extension FailureRow {
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
    if !rule.isEmpty {
      let rule = try lookups.rule(rule, db)
      (row.rule, row.message, row.severity) = (rule.id, rule.message, rule.severity)
    }
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
