internal import Model

/// A failure on its way into a batch; its texts are lent beside it.
struct RecordHead {
  var time: Int64
  /// File offset, or the journal's sequence number.
  var place: Int64
  /// Nil when the id is a name.
  var address: Address?
  var count: UInt32 = 1
  /// Of a row that represents several lines.
  var last: (time: Int64, place: Int64)?
}

/// The failures of a transaction, as they are stored: a JSON text, which plain SQL can take apart (the view `failures`) and which
/// is hashed as it is.
///
/// ```
/// rows:  [[time, place, id, user, template, value…, {…}], …]
/// users: ["root", "admin"]
/// ```
/// - time, place: counted from the batch's own, time in its unit
/// - id: a number is an IPv4 address, a text an IPv6 address, or a name behind `=`
/// - user: none (0), a number is the n-th of `users`, a text itself
/// - template: the number of a `Template`, whose values follow; the line itself where the template has no text
/// - {n, t, p, l}: how many lines the row represents, and the last one's time, place and text; {raw: 1}: some text is not UTF-8, and
///   all of them are in the table `raw`
struct BatchText {
  /// A batch with so many rows is closed.
  static let largest = 512
  /// Numbers of SQLite and JSON are exact up to here.
  private static let farthest: Int64 = 1 << 52

  /// Texts that are not UTF-8.
  struct Raw {
    var index: Int
    var name: [UInt8]
    var user: [UInt8]
    var line: [UInt8]
    var last: [UInt8]
  }

  private(set) var rows: [UInt8] = []
  private(set) var users: [UInt8] = []
  /// Four bytes a row.
  private(set) var sums: [UInt8] = []
  private(set) var count = 0
  private(set) var base = (time: Int64(0), place: Int64(0))
  /// Microseconds that a time counts in.
  private(set) var unit: Int64 = 1
  /// Of all rows.
  private(set) var times: ClosedRange<Int64> = 0...0
  private(set) var templates = TemplateUse()
  private(set) var raw: [Raw] = []
  private var known = UserNumbers()
  /// The coarsest unit that these rows could be counted in, and what the batch before says of this one.
  private var coarsest: Int64 = 1_000_000
  private var nextUnit: Int64 = 1_000_000

  mutating func removeAll() {
    rows.removeAll(keepingCapacity: true)
    users.removeAll(keepingCapacity: true)
    sums.removeAll(keepingCapacity: true)
    raw.removeAll(keepingCapacity: true)
    templates.removeAll()
    known.removeAll()
    count = 0
  }

  /// False when it does not fit: the batch is to be closed first.
  mutating func append(
    _ head: RecordHead, _ template: Template, _ values: [Range<Int>], name: borrowing Span<UInt8>,
    user: borrowing Span<UInt8>, line: borrowing Span<UInt8>, lastLine: borrowing Span<UInt8>
  ) -> Bool {
    guard let time = begin(head) else { return false }
    let isWhole = template.key.text == nil
    let isRaw =
      !(JSONText.canHold(name) && JSONText.canHold(user) && JSONText.canHold(lastLine)
      && (!isWhole || JSONText.canHold(line)))
    if isRaw {
      raw.append(
        Raw(
          index: count, name: [UInt8](copying: name), user: [UInt8](copying: user), line: [UInt8](copying: line),
          last: [UInt8](copying: lastLine)))
    }
    let owner = isRaw ? UserNumbers.Place.none : place(ofUser: user)
    let (base, unit) = (base, unit)
    let most =
      Self.numbers + JSONText.expansion * (name.count + user.count + lastLine.count)
      + (isWhole ? JSONText.expansion : 2) * line.count
    rows.append(UInt8(ascii: count == 0 ? "[" : ","))
    let start = rows.count
    rows.append(addingCapacity: most) { out in
      out.append(UInt8(ascii: "["))
      out.append(decimal: time)
      out.append(UInt8(ascii: ","))
      out.append(decimal: head.place &- base.place)
      out.append(UInt8(ascii: ","))
      if let address = head.address {
        Self.append(address, to: &out)
      } else {
        JSONText.append(isRaw ? Span() : name.extracting(0..<name.count), prefix: UInt8(ascii: "="), to: &out)
      }
      out.append(UInt8(ascii: ","))
      switch owner {
      case .none: out.append(UInt8(ascii: "0"))
      case .number(let number): out.append(decimal: Int64(number))
      case .text: JSONText.append(user, to: &out)
      }
      out.append(UInt8(ascii: ","))
      out.append(decimal: template.number)
      if !isWhole {
        for value in values { Self.append(value: line.extracting(value), to: &out) }
      } else if !isRaw {
        out.append(UInt8(ascii: ","))
        JSONText.append(line, to: &out)
      }
      if isRaw || head.count != 1 || head.last != nil {
        let last = head.last.map { (($0.time &- base.time) / unit, $0.place &- base.place) }
        Self.append(head.count, isRaw, last, lastLine, to: &out)
      }
      out.append(UInt8(ascii: "]"))
    }
    sums.append(sum: RecordSum.of(rows.span.extracting(start..<rows.count)))
    templates.note(template)
    times = count == 0 ? head.time...head.time : min(times.lowerBound, head.time)...max(times.upperBound, head.time)
    count += 1
    return true
  }

  /// More than all numbers and names of a row can need.
  private static let numbers = 320

  /// Ends the texts; nothing can be appended then.
  mutating func close() {
    rows.append(UInt8(ascii: "]"))
    if !users.isEmpty { users.append(UInt8(ascii: "]")) }
    nextUnit = coarsest
  }

  // MARK: Times and places

  /// The row's time in the batch's unit; nil where that is not exact, or the batch is full. The first row says where counting
  /// begins, in a unit that is as coarse as its time and those of the batch before allow.
  private mutating func begin(_ head: RecordHead) -> Int64? {
    if count == 0 {
      base = (head.time, head.place)
      unit = nextUnit
      while head.time % unit != 0 { unit /= 1000 }
      coarsest = 1_000_000
    }
    guard count < Self.largest, let time = units(head.time, head.place) else { return nil }
    if let last = head.last, units(last.time, last.place) == nil { return nil }
    while coarsest > unit, head.time % coarsest != 0 { coarsest /= 1000 }
    return time
  }

  private mutating func units(_ time: Int64, _ place: Int64) -> Int64? {
    let (since, overflow) = time.subtractingReportingOverflow(base.time)
    let (distance, overflows) = place.subtractingReportingOverflow(base.place)
    guard !overflow, !overflows, abs(since) < Self.farthest, abs(distance) < Self.farthest else { return nil }
    let units = since / unit
    guard units &* unit == since else {
      // The next batch counts finer.
      coarsest = unit / 1000
      return nil
    }
    return units
  }

  // MARK: Users

  private mutating func place(ofUser user: borrowing Span<UInt8>) -> UserNumbers.Place {
    guard user.count > 0 else { return .none }
    let (place, isNew) = known.place(of: user)
    if isNew {
      users.append(UInt8(ascii: users.isEmpty ? "[" : ","))
      users.append(addingCapacity: JSONText.expansion * user.count + 2) { JSONText.append(user, to: &$0) }
    }
    return place
  }

  // MARK: Bytes

  private static func append(_ address: Address, to out: inout OutputSpan<UInt8>) {
    guard !address.isIPv4 else { return out.append(decimal: Int64(address.ipv4)) }
    out.append(UInt8(ascii: "\""))
    for byte in address.description.utf8 { out.append(byte) }
    out.append(UInt8(ascii: "\""))
  }

  /// As a number where that is the same digits again, else as a text, which needs no escapes.
  private static func append(value: borrowing Span<UInt8>, to out: inout OutputSpan<UInt8>) {
    var isNumber = value.count <= 15 && (value[0] != UInt8(ascii: "0") || value.count == 1)
    for i in 0..<value.count where !LineWords.isDigit(value[i]) { isNumber = false }
    out.append(UInt8(ascii: ","))
    if !isNumber { out.append(UInt8(ascii: "\"")) }
    out.append(value)
    if !isNumber { out.append(UInt8(ascii: "\"")) }
  }

  private static func append(
    _ count: UInt32, _ isRaw: Bool, _ last: (time: Int64, place: Int64)?, _ lastLine: borrowing Span<UInt8>,
    to out: inout OutputSpan<UInt8>
  ) {
    func name(_ letter: StaticString, isFirst: Bool = false, to out: inout OutputSpan<UInt8>) {
      if !isFirst { out.append(UInt8(ascii: ",")) }
      for byte in letter.description.utf8 { out.append(byte) }
    }
    name(",{\"n\":", isFirst: true, to: &out)
    out.append(decimal: Int64(count))
    if isRaw { name("\"raw\":1", to: &out) }
    if let last {
      name("\"t\":", to: &out)
      out.append(decimal: last.time)
      name("\"p\":", to: &out)
      out.append(decimal: last.place)
      if !isRaw {
        name("\"l\":", to: &out)
        JSONText.append(lastLine, to: &out)
      }
    }
    out.append(UInt8(ascii: "}"))
  }

  // MARK: The hash

  /// SHA-256 over everything that is stored of the failures.
  var digest: [UInt8] {
    var hasher = SHA256()
    var header = ByteWriter()
    for number in [base.time, base.place, unit, Int64(count), Int64(users.count)] { header.integer(number) }
    hasher.update(header.bytes)
    hasher.update(users)
    hasher.update(rows)
    hasher.update(sums)
    for template in templates.digests { hasher.update(template) }
    for text in raw { hasher.update(text.bytes) }
    return hasher.finish()
  }
}

extension BatchText.Raw {
  /// As they are hashed.
  var bytes: [UInt8] {
    var writer = ByteWriter()
    writer.integer(Int64(index))
    for text in [name, user, line, last] { writer.bytes(text) }
    return writer.bytes
  }
}

/// The templates of a batch, in the order of their first use.
struct TemplateUse {
  private(set) var numbers: [Int64] = []
  private(set) var digests: [[UInt8]] = []
  private var last: Int64 = 0

  mutating func note(_ template: Template) {
    guard template.number != last else { return }
    last = template.number
    guard !numbers.contains(last) else { return }
    numbers.append(last)
    digests.append(template.digest)
  }

  mutating func removeAll() {
    numbers.removeAll(keepingCapacity: true)
    digests.removeAll(keepingCapacity: true)
    last = 0
  }
}

/// The users that a batch has named so far, from 1. Attackers go through lists of names, so a few make up most of them; of
/// those that share a slot the last one is found again.
private struct UserNumbers {
  enum Place {
    case none
    case number(Int)
    case text
  }

  private static let slots = 256
  /// More are written out: SQL looks for the n-th from the beginning.
  private static let most = 200

  private var count = 0
  private var text: [UInt8] = []
  private var known = [(number: Int, name: Range<Int>)](repeating: (0, 0..<0), count: slots)

  mutating func removeAll() {
    guard count > 0 else { return }
    count = 0
    text.removeAll(keepingCapacity: true)
    for i in 0..<Self.slots { known[i] = (0, 0..<0) }
  }

  mutating func place(of user: borrowing Span<UInt8>) -> (Place, isNew: Bool) {
    let slot = Int(RecordSum.of(user) & 255)
    let entry = known[slot]
    if entry.name.count == user.count, user.alike(from: 0, text.span, from: entry.name.lowerBound) >= user.count {
      return (.number(entry.number), false)
    }
    guard count < Self.most else { return (.text, false) }
    count += 1
    known[slot] = (count, text.count..<text.count + user.count)
    text.append(user)
    return (.number(count), true)
  }
}
