internal import Filters

/// Which fields a filter asks of each line, and how its formats are read.
struct FieldPlan: Sendable {
  enum Reader: Sendable {
    case combined(CombinedReader)
    case json(JSONKeys)
    case logfmt(LogfmtReader)
    case columns(ColumnReader)
    case split(SplitReader)
  }

  /// The field of each slot.
  let slots: [FieldSlot]
  /// For each format.
  private let readers: [Reader]

  /// For each role the slots that may have it, in their order.
  typealias Roles = [FieldRole: [Int]]

  /// Nil for lines of text. Throws where a format cannot have the fields that are asked for.
  init?(_ formats: [FieldFormat], _ fields: FieldNames) throws(FilterError) {
    if formats.allSatisfy({ $0.format == .text }) { return nil }
    slots = fields.slots
    var readers: [Reader] = []
    for (index, format) in formats.enumerated() {
      readers.append(try Reader(format, fields.slots.enumerated().filter { $1.format == index }.map { ($0, $1.name) }))
    }
    self.readers = readers
  }

  /// Puts the line's fields into `table`, by the first format that it is in.
  func read(
    _ line: borrowing Span<UInt8>, into table: inout FieldTable, _ scratch: inout MatchScratch,
    _ header: inout ColumnHeader
  ) throws(Unread) {
    for index in readers.indices {
      table.clear(slots: slots.count)
      do throws(Unread) {
        try readers[index].read(line, &table, &scratch, &header)
        return
      } catch {
        guard error == .otherFormat, index + 1 < readers.count else { throw error }
      }
    }
  }
}

extension FieldPlan.Reader {
  /// `fields`: the slots of this format, with their fields.
  fileprivate init(_ format: FieldFormat, _ fields: [(slot: Int, name: String)]) throws(FilterError) {
    switch format.format {
    case .text:
      throw FilterError(
        place: format.fields.place, message: "text is no format beside others", remedy: "make two filters of it")
    case .combined: self = .combined(CombinedReader(fields))
    case .json:
      guard let keys = JSONKeys(fields) else {
        throw FilterError(
          place: format.fields.place, message: "more than \(JSONKeys.mostKeys) fields of one object are asked for",
          remedy: "make two filters of it")
      }
      self = .json(keys)
    case .logfmt:
      guard let reader = LogfmtReader(fields) else {
        throw FilterError(
          place: format.fields.place, message: "more than \(LogfmtReader.mostKeys) fields are asked for",
          remedy: "make two filters of it")
      }
      self = .logfmt(reader)
    case .separated(let separator, let columns):
      self = .columns(
        ColumnReader(fields, separator, columns, header: ColumnReader.headerNames(format, fields.map(\.name))))
    case .w3c(let columns): self = .columns(ColumnReader(w3c: fields, columns))
    case .haproxy: self = .split(SplitReader(haproxy: fields))
    case .server(let server): self = .split(try SplitReader(server, fields))
    case .split(let split): self = .split(try SplitReader(split, fields))
    }
  }

  fileprivate func read(
    _ line: borrowing Span<UInt8>, _ table: inout FieldTable, _ scratch: inout MatchScratch,
    _ header: inout ColumnHeader
  ) throws(Unread) {
    switch self {
    case .combined(let reader): try reader.read(line, into: &table)
    case .json(let keys): try JSONReader.read(line, keys, into: &table)
    case .logfmt(let reader): try reader.read(line, into: &table)
    case .columns(let reader): try reader.read(line, &header, into: &table)
    case .split(let reader): try reader.read(line, &scratch, into: &table)
    }
  }
}
