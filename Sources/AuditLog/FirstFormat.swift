internal import Crypto
internal import Foundation
internal import GRDB
internal import Model

/// How version 1 of the store wrote failures: links of `chain.format` 1 are hashed over these bytes. Nothing is written so
/// any more.
///
/// ```
/// time 8 · place 8 · origin 4 · origin's key 8 · count 4 · weight 4 · kind 1 · address 4 or 16, or length 2 and name
/// · user: length 2, bytes · line: length 2, bytes · if kind has bit 7: time 8, place 8, line: length 2, bytes
/// ```
enum FirstFormat {
  private static let folded: UInt8 = 0x80

  static func write(_ row: FailureRow, to writer: inout ByteWriter) {
    writer.integer(row.time)
    writer.integer(row.place)
    writer.integer(UInt32(truncatingIfNeeded: row.origin))
    writer.integer(row.originKey)
    writer.integer(UInt32(truncatingIfNeeded: row.count))
    writer.integer(UInt32(truncatingIfNeeded: row.weight))
    let fold = row.last == nil ? 0 : folded
    switch row.address {
    case nil:
      writer.bytes.append(fold)
      text(row.name, &writer)
    case let address? where address.isIPv4:
      writer.bytes.append(4 | fold)
      writer.integer(address.ipv4)
    case let address?:
      writer.bytes.append(6 | fold)
      writer.integer(address.bits)
    }
    text(row.user, &writer)
    text(row.line, &writer)
    guard let last = row.last else { return }
    writer.integer(last.time)
    writer.integer(last.place)
    text(last.line, &writer)
  }

  private static func text(_ text: [UInt8], _ writer: inout ByteWriter) {
    writer.integer(UInt16(truncatingIfNeeded: text.count))
    writer.bytes.append(contentsOf: text)
  }

  /// The row that begins at `offset`, which moves behind it; nil at the end.
  static func read(_ bytes: [UInt8], at offset: inout Int, number: Int64) -> FailureRow? {
    var reader = ByteReader(offset: offset)
    let span = bytes.span
    func text() -> [UInt8]? {
      guard let count: UInt16 = reader.integer(span), span.count - reader.offset >= Int(count) else { return nil }
      defer { reader.offset += Int(count) }
      return Array(bytes[reader.offset..<reader.offset + Int(count)])
    }
    guard let time: Int64 = reader.integer(span), let place: Int64 = reader.integer(span),
      let origin: UInt32 = reader.integer(span), let originKey: UInt64 = reader.integer(span),
      let count: UInt32 = reader.integer(span), let weight: UInt32 = reader.integer(span),
      let kind: UInt8 = reader.integer(span)
    else { return nil }
    var row = FailureRow(
      number: number, time: time, origin: Int64(origin), originKey: originKey, count: Int64(count),
      weight: Int64(weight), place: place)
    switch kind & ~folded {
    case 4:
      guard let v4: UInt32 = reader.integer(span) else { return nil }
      row.address = Address(ipv4: v4)
    case 6:
      guard let bits: UInt128 = reader.integer(span) else { return nil }
      row.address = Address(bits: bits)
    default:
      guard let name = text() else { return nil }
      row.name = name
    }
    guard let user = text(), let line = text() else { return nil }
    row.user = user
    row.line = line
    if kind & folded != 0 {
      guard let time: Int64 = reader.integer(span), let place: Int64 = reader.integer(span), let line = text() else {
        return nil
      }
      row.last = (time, place, line)
    }
    offset = reader.offset
    return row
  }

  /// What waited to be indexed is rewritten, in the second format; its links keep theirs.
  static func convertPending(_ db: Database) throws {
    for batch in try Row.fetchAll(db, sql: "SELECT sequence, records FROM pending_1 ORDER BY sequence") {
      let bytes = Array(batch[1] as Data)
      var encoder = BatchEncoder(format: 2)
      var offset = 0
      while let row = read(bytes, at: &offset, number: 0) { row.write(to: &encoder) }
      try db.execute(
        sql: "INSERT INTO pending (sequence, heads, lines) VALUES (?,?,?)",
        arguments: [batch[0] as Int64, Data(encoder.heads), Data(encoder.lines)])
    }
  }
}

/// The failures of one transaction, summed and hashed as its link's format has it.
struct FailureSums {
  private let format: Int64
  private var encoder: BatchEncoder
  private var first = ByteWriter()
  private var firstSums: [UInt8] = []

  init(format: Int64) {
    self.format = format
    encoder = BatchEncoder(format: format)
  }

  mutating func append(_ row: FailureRow) {
    guard format == 1 else { return row.write(to: &encoder) }
    let start = first.bytes.count
    FirstFormat.write(row, to: &first)
    firstSums.append(sum: RecordSum.of(first.bytes.span.extracting(start..<first.bytes.count)))
  }

  var sums: [UInt8] { format == 1 ? firstSums : encoder.sums }

  var digest: [UInt8] {
    if format != 1 { return encoder.count == 0 ? [] : encoder.digest }
    return first.bytes.isEmpty ? [] : Array(SHA256.hash(data: first.bytes))
  }
}
