internal import Filters

/// Which column of a log is what, as its last header line said.
struct ColumnHeader {
  /// Empty: there was none.
  fileprivate(set) var names: [[UInt8]] = []

  init() {}

  /// The names in a header line, from `start` on.
  fileprivate mutating func take(_ line: borrowing Span<UInt8>, from start: Int, isSeparator: (UInt8) -> Bool) {
    names = [[]]
    for at in start..<max(start, line.count) {
      if isSeparator(line[at]) { names.append([]) } else { names[names.count - 1].append(line[at]) }
    }
  }

  fileprivate mutating func take(_ line: borrowing Span<UInt8>, _ ranges: [Range<Int>]) {
    names = []
    for range in ranges {
      var name: [UInt8] = []
      name.append(line, range)
      names.append(name)
    }
  }
}

/// Reads logs of columns: CSV, TSV, and the W3C extended log format, whose names are in a header line of the log or in the
/// settings. A line with more or fewer values than there are columns is not believed.
struct ColumnReader: Sendable {
  /// W3C's `date` and `time` in one, which are in UTC.
  static let dateAndTime = "date_time"

  private let fields: [(text: [UInt8], slot: Int)]
  /// Of each of these the log's header line has one.
  private let header: [[[UInt8]]]
  /// The slot of `dateAndTime`; below 0: nobody asks for it.
  private let dateTime: Int
  /// From the settings.
  private let columns: [[UInt8]]
  /// Between values; nil: a tab where the line has one, else a space (W3C).
  private let separator: UInt8?

  /// `header`: of each of these the log's header line has one (`headerNames`).
  init(
    _ fields: [(slot: Int, name: String)], _ separator: UInt8, _ columns: [String], header: [[String]] = []
  ) {
    self.header = header.map { $0.map { Array($0.utf8) } }
    self.fields = fields.map { (Array($0.name.utf8), $0.slot) }
    self.separator = separator
    self.columns = columns.map { Array($0.utf8) }
    dateTime = -1
  }

  init(w3c fields: [(slot: Int, name: String)], _ columns: [String]) {
    header = []
    self.fields = fields.filter { $0.name != Self.dateAndTime }.map { (Array($0.name.utf8), $0.slot) }
    self.columns = columns.map { Array($0.utf8) }
    separator = nil
    dateTime = fields.first { $0.name == Self.dateAndTime }?.slot ?? -1
  }

  func read(_ line: borrowing Span<UInt8>, _ header: inout ColumnHeader, into table: inout FieldTable) throws(Unread) {
    guard line.count > 0 else { throw .otherFormat }
    if separator == nil {
      guard line[0] != UInt8(ascii: "#") else {
        if let names = Self.namesStart(line) {
          header.take(line, from: names) { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
        }
        throw .header
      }
    } else if columns.isEmpty, let names = headerNames(line) {
      header.take(line, names)
      throw .header
    }
    let isNamed = separator == nil || columns.isEmpty
    let names = isNamed && !header.names.isEmpty ? header.names : columns
    guard !names.isEmpty else { throw .otherFormat }
    try values(line, names, &table)
  }

  /// Behind `#Fields:`, or behind Zeek's `#fields` and its tab.
  private static func namesStart(_ line: borrowing Span<UInt8>) -> Int? {
    if starts(line, 0, with: "#Fields:") { return skipSpaces(line, 8) }
    return starts(line, 0, with: "#fields\t") ? 8 : nil
  }

  private func values(_ line: borrowing Span<UInt8>, _ names: [[UInt8]], _ table: inout FieldTable) throws(Unread) {
    let separator =
      separator ?? (line.first(UInt8(ascii: "\t"), from: 0) == nil ? UInt8(ascii: " ") : UInt8(ascii: "\t"))
    var at = 0
    var (date, time) = (0..<0, 0..<0)
    for column in names.indices {
      let value = try Self.value(line, from: at, separator)
      for field in fields where field.text == names[column] {
        table.add(field.slot, line, value.range, value.isDoubled ? .doubled : .plain)
      }
      if dateTime >= 0 {
        if Self.isText(names[column], "date") { date = value.range }
        if Self.isText(names[column], "time") { time = value.range }
      }
      at = value.end + 1
      guard (value.end < line.count) == (column + 1 < names.count) else { throw .unbelieved }
    }
    guard !date.isEmpty, !time.isEmpty else { return }
    table.add(dateTime) { text in
      text.append(line, date)
      text.append(UInt8(ascii: " "))
      text.append(line, time)
      text.append(UInt8(ascii: "Z"))
    }
  }

  /// The value that begins at `start`: its text, and where its separator is or the line ends.
  private static func value(
    _ line: borrowing Span<UInt8>, from start: Int, _ separator: UInt8
  ) throws(Unread) -> (range: Range<Int>, isDoubled: Bool, end: Int) {
    guard separator != UInt8(ascii: "\t"), start < line.count, line[start] == UInt8(ascii: "\"") else {
      let end = line.first(separator, from: start) ?? line.count
      return (start..<max(start, end), false, end)
    }
    var isDoubled = false
    var at = start + 1
    while let quote = line.first(UInt8(ascii: "\""), from: at) {
      if quote + 1 == line.count || line[quote + 1] == separator { return (start + 1..<quote, isDoubled, quote + 1) }
      guard line[quote + 1] == UInt8(ascii: "\"") else { break }
      isDoubled = true
      at = quote + 2
    }
    throw .unbelieved
  }

  /// The names in the line that names the columns; nil: this is none. Every value of such a line is a name, and every name that is
  /// asked for is there. A line of the log has an address and a time, which are no names, whatever clients write into the other
  /// columns.
  private func headerNames(_ line: borrowing Span<UInt8>) -> [Range<Int>]? {
    guard let separator, !header.isEmpty,
      Self.isNameStart(line[line[0] == UInt8(ascii: "\"") && line.count > 1 ? 1 : 0])
    else { return nil }
    var names: [Range<Int>] = []
    var at = 0
    while at <= line.count {
      guard let value = try? Self.value(line, from: at, separator), Self.isName(line, value.range) else { return nil }
      names.append(value.range)
      at = value.end + 1
    }
    for group in header {
      guard names.contains(where: { name in group.contains { LineScanner.equal(line, name, $0) } }) else { return nil }
    }
    return names
  }

  /// Letters, digits and what joins words, behind a letter.
  private static func isName(_ line: borrowing Span<UInt8>, _ range: Range<Int>) -> Bool {
    guard !range.isEmpty, isNameStart(line[range.lowerBound]) else { return false }
    for at in range where !isNameStart(line[at]) && !isDigit(line[at]) {
      switch line[at] {
      case UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: " "), UInt8(ascii: "/"), UInt8(ascii: "("),
        UInt8(ascii: ")"):
        break
      default: return false
      }
    }
    return true
  }

  private static func isNameStart(_ byte: UInt8) -> Bool {
    (byte | 0x20) &- UInt8(ascii: "a") < 26 || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "@") || byte >= 0x80
  }

  private static func isText(_ name: [UInt8], _ text: StaticString) -> Bool {
    name.count == text.utf8CodeUnitCount && starts(name.span, 0, with: text)
  }

  static func undouble(_ line: borrowing Span<UInt8>, _ range: Range<Int>, into text: inout [UInt8]) {
    var at = range.lowerBound
    while at < range.upperBound {
      text.append(line[at])
      at += line[at] == UInt8(ascii: "\"") ? 2 : 1
    }
  }

  /// Of each of these the line that names the columns has one: what the filter calls its host, its user …, and the fields that
  /// patterns ask for. Names by convention need not be there.
  static func headerNames(_ format: FieldFormat, _ asked: [String]) -> [[String]] {
    let roles = format.fields.names.sorted { $0.key.rawValue < $1.key.rawValue }.map(\.value)
    let conventional = format.format.conventionalRoles.values.joined()
    let others = asked.filter { name in !conventional.contains(name) && !roles.contains { $0.contains(name) } }
    return roles + others.map { [$0] }
  }

  /// What a line that names the columns must hold, one of these, where `asked` are the names that are asked for; empty where there is
  /// no such line, nil where none can be told.
  static func headerLiterals(_ format: FieldFormat, _ asked: [String]) -> [String]? {
    switch format.format {
    case .w3c: return ["#Fields:", "#fields\t"]
    case .separated(_, let columns) where columns.isEmpty:
      func shortest(_ names: [String]) -> Int { names.map(\.utf8.count).min() ?? 0 }
      let best = headerNames(format, asked).max { shortest($0) < shortest($1) }
      guard let best, shortest(best) >= RequiredLiterals.shortest else { return nil }
      return best
    default: return []
    }
  }
}
