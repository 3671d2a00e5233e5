internal import Foundation
internal import GRDB

/// How version 2 of the store wrote failures: `BatchEncoder` and its readers still know it, for links of `chain.format` 2.
enum SecondFormat {
  /// What waited to be indexed is rewritten, in the form in which it waits now; its links keep their format.
  static func convertPending(_ db: Database) throws {
    for batch in try Row.fetchAll(db, sql: "SELECT sequence, heads, lines FROM pending ORDER BY sequence") {
      let (heads, lines) = (Array(batch[1] as Data), Array(batch[2] as Data))
      var headReader = HeadReader(format: 2)
      var lineReader = LineReader(format: 2)
      var encoder = BatchEncoder()
      while let record = headReader.next(heads.span), let ranges = lineReader.next(record, heads.span, lines.span) {
        encoder.append(
          record.head, name: heads.span.extracting(record.name), user: heads.span.extracting(record.user),
          rule: heads.span.extracting(record.rule), line: lineReader.delta.bytes.span.extracting(ranges.line),
          lastLine: lineReader.delta.bytes.span.extracting(ranges.last))
      }
      try db.execute(
        sql: "UPDATE pending SET heads = ?, lines = ? WHERE sequence = ?",
        arguments: [Data(encoder.heads), Data(encoder.lines), batch[0] as Int64])
    }
  }
}
