internal import Model
internal import SQLite

/// Finds the template of a failure's line, and makes new ones.
///
/// A text is stored when it has been seen a few times, so that lines which are all different (addresses of web pages) do not fill
/// the table; and there is a limit, behind which lines are stored whole.
struct TemplateTable {
  static let limit = 16_384
  private static let sightings: UInt8 = 4
  private static let slots = 1 << 14
  /// So many of an origin's templates are tried, the one that was found last first.
  private static let tried = 4

  /// What templates of one origin and weight were found last.
  private struct Recent {
    var origin: UInt32
    var weight: UInt32
    var templates: [Int]
  }

  private(set) var templates: [Template] = []
  private var byKey: [Template.Key: Int] = [:]
  private var byNumber: [Int64: Int] = [:]
  private var recent: [Recent] = []
  /// The stamp of a template's last line, and of which time and form that is.
  private var stamps: [[UInt8]] = []
  private var stampTimes: [Int64] = []
  private var texts = 0
  private var next: Int64 = 1
  private var seen: [UInt8] = []
  private var lines = 0
  /// Indexes of templates that no transaction has stored yet.
  private var added: [Int] = []
  /// Of the line that was looked at last, where its template has a text.
  private(set) var values: [Range<Int>] = []

  mutating func load(_ db: Database, _ origins: OriginTable) throws {
    self = TemplateTable()
    for (number, key) in try Self.all(db) { add(key, number, origins[key.origin]) }
  }

  static func all(_ db: Database) throws -> [(number: Int64, key: Template.Key)] {
    let rows = try db.rows("SELECT id, origin, weight, rule, text, stamp, zone FROM template ORDER BY id")
    return try rows.map { row in (row[0], key(row)) }
  }

  private static func key(_ row: Row) -> Template.Key {
    let stamp = row[5] as String?
    return Template.Key(
      origin: row[1], weight: row[2], rule: row[3], text: row[4],
      stamp: stamp.flatMap { stamp in StampForm.all.firstIndex { $0.text == stamp } }, zone: row[6])
  }

  private mutating func add(_ key: Template.Key, _ number: Int64, _ origin: Origin) {
    byKey[key] = templates.count
    byNumber[number] = templates.count
    templates.append(Template(key, number: number, origin: origin))
    stamps.append([])
    stampTimes.append(.min)
    if key.text != nil { texts += 1 }
    next = max(next, number + 1)
  }

  /// Stores what was added; `last` is the number of the last row that uses it.
  mutating func store(last: Int64, _ db: Database) throws {
    for index in added {
      let template = templates[index]
      let key = template.key
      let statement = try db.cached(
        "INSERT INTO template (id, origin, weight, rule, text, stamp, zone, last) VALUES (?,?,?,?,?,?,?,?)")
      statement.bind([template.number, key.origin, key.weight])
      if key.rule.isEmpty { statement.bindNull(4) } else { statement.bind(key.rule.span, 4) }
      if let text = key.text { statement.bind(text: text.span, 5) } else { statement.bindNull(5) }
      statement.bind(template.stampForm?.text, 6)
      statement.bind(key.zone, 7)
      statement.bind(last, 8)
      try statement.run()
    }
    added.removeAll(keepingCapacity: true)
  }

  subscript(number: Int64) -> Template? { byNumber[number].map { templates[$0] } }

  // MARK: Finding

  /// The template of a line, as an index of `templates`; `values` are the line's then.
  mutating func find(
    origin: UInt32, _ meaning: @autoclosure () -> Origin, weight: UInt32, rule: borrowing Span<UInt8>, time: Int64,
    address: borrowing Span<UInt8>, user: borrowing Span<UInt8>, line: borrowing Span<UInt8>
  ) -> Int {
    values.removeAll(keepingCapacity: true)
    var key = Template.Key(origin: origin, weight: weight)
    if rule.count > 0 { key.rule = [UInt8](copying: rule) }
    let list = rule.count > 0 ? nil : self.list(origin, weight)
    if let list {
      for (place, index) in recent[list].templates.enumerated() {
        guard match(index, time, line, address, user) else { continue }
        if place > 0 { recent[list].templates.swapAt(0, place) }
        return index
      }
    }
    if UTF8Check.isText(line), let made = TemplateText(line, time: time, address: address, user: user) {
      var withText = key
      (withText.text, withText.stamp, withText.zone) = (made.text, made.stamp, made.zone)
      if let index = byKey[withText] ?? addSeen(withText, meaning()), match(index, time, line, address, user) {
        if let list {
          recent[list].templates.insert(index, at: 0)
          if recent[list].templates.count > Self.tried { recent[list].templates.removeLast() }
        }
        return index
      }
    }
    values.removeAll(keepingCapacity: true)
    return byKey[key] ?? addNew(key, meaning())
  }

  private mutating func list(_ origin: UInt32, _ weight: UInt32) -> Int {
    if let last = recent.last, last.origin == origin, last.weight == weight { return recent.count - 1 }
    if let index = recent.firstIndex(where: { $0.origin == origin && $0.weight == weight }) {
      // Lines of a kind follow one another.
      recent.swapAt(index, recent.count - 1)
      return recent.count - 1
    }
    recent.append(Recent(origin: origin, weight: weight, templates: []))
    return recent.count - 1
  }

  private mutating func match(
    _ index: Int, _ time: Int64, _ line: borrowing Span<UInt8>, _ address: borrowing Span<UInt8>,
    _ user: borrowing Span<UInt8>
  ) -> Bool {
    values.removeAll(keepingCapacity: true)
    if stampTimes[index] != time, let form = templates[index].stampForm {
      stamps[index].removeAll(keepingCapacity: true)
      form.write(time, zone: templates[index].key.zone, to: &stamps[index])
      stampTimes[index] = time
    }
    let stamp = stamps[index]
    return templates[index].match(line, address: address, user: user, stamp: stamp.span, values: &values)
  }

  private mutating func addSeen(_ key: Template.Key, _ origin: Origin) -> Int? {
    guard let text = key.text, texts < Self.limit else { return nil }
    if seen.isEmpty { seen = [UInt8](repeating: 0, count: Self.slots) }
    lines += 1
    if lines % (Self.slots * 4) == 0 { for i in seen.indices { seen[i] = 0 } }
    let slot = Int(RecordSum.of(text.span) ^ key.origin &* 0x9E37_79B9) & (Self.slots - 1)
    guard seen[slot] >= Self.sightings - 1 else {
      seen[slot] += 1
      return nil
    }
    seen[slot] = 0
    return addNew(key, origin)
  }

  private mutating func addNew(_ key: Template.Key, _ origin: Origin) -> Int {
    added.append(templates.count)
    add(key, next, origin)
    return templates.count - 1
  }
}
