internal import Filters
internal import Matching

/// One of a filter's expressions, compiled, with what its groups are called. A class, because going through a filter's
/// expressions must not retain each one's arrays.
final class Fail2banPattern: Sendable {
  let pattern: Pattern
  /// The same for texts in which every byte is an ASCII character, where Unicode's classes and cases say nothing else than
  /// plain ones, at half the price.
  let forASCII: Pattern
  /// Each named group and its field's number, in order.
  let groups: [(group: Int, field: Int)]
  /// `alt_user` fills `user` where that is empty.
  private let alternates: [(from: Int, to: Int)]
  /// `tuple_id` is joined to `fid`.
  private let tuples: [(from: Int, to: Int)]
  /// The groups of `<SKIPLINES>`, in order.
  let skips: [Int]

  private let owned: [Bool]

  struct Failure: Error { var reason: String }

  init(
    _ expression: String, usedns: Fail2banRules.DNS, multiline: Bool, _ fields: inout FieldNames
  ) throws(Failure) {
    let expanded: String
    do { expanded = try TagExpansion.expand(expression, usedns: usedns) } catch { throw Failure(reason: error.reason) }
    guard !expanded.trimmed.isEmpty else { throw Failure(reason: "the expression is empty") }
    let python = PythonPattern(expanded)
    do {
      pattern = try Pattern(python.text, options: multiline ? [.unicode, .multiline] : .unicode)
    } catch {
      throw Failure(reason: "\(error.message), near \(Self.place(error))")
    }
    // A pattern that names other characters (`\x{17f}`, which is also an `s`) does not compile so.
    let isPlain = python.text.utf8.allSatisfy { $0 < 0x80 }
    forASCII = isPlain ? (try? Pattern(python.text, options: multiline ? .multiline : [])) ?? pattern : pattern
    var groups: [(group: Int, field: Int)] = []
    var alternates: [(name: String, from: Int, to: Int)] = []
    var tuples: [(name: String, from: Int, to: Int)] = []
    var skips: [(name: String, group: Int)] = []
    for (short, group) in pattern.names {
      let name = python.longNames[short] ?? short
      if name.hasPrefix("skiplines") { skips.append((name, group)) }
      let field = fields.number(name)
      groups.append((group, field))
      if name.hasPrefix("alt_") {
        alternates.append((name, field, fields.number(Self.target(name.dropFirst(4)))))
      } else if name.hasPrefix("tuple_") {
        tuples.append((name, field, fields.number(Self.target(name.dropFirst(6)))))
      }
    }
    self.groups = groups
    self.alternates = alternates.sorted { $0.name < $1.name }.map { ($0.from, $0.to) }
    self.tuples = tuples.sorted { $0.name < $1.name }.map { ($0.from, $0.to) }
    self.skips = skips.sorted { $0.group < $1.group }.map(\.group)
    var owned = [Bool](repeating: false, count: fields.names.count)
    for (_, field) in groups { owned[field] = true }
    self.owned = owned
  }

  /// Does the pattern itself have a group for the field? Then what it captured counts, be it nothing.
  func owns(_ field: Int) -> Bool { field < owned.count && owned[field] }

  func names(_ name: String) -> Bool { pattern.names.contains { $0.name == name } }

  /// Copies what the last match captured.
  func capture(
    _ subject: borrowing Span<UInt8>, _ scratch: borrowing MatchScratch, into fields: inout CapturedFields
  ) {
    fields.begin(with: subject)
    for (group, field) in groups {
      if let range = scratch.group(group) { fields.set(field, range) }
    }
    for (from, to) in alternates where fields.says(from) && !fields.says(to) { fields.copy(from, to: to) }
    for (from, to) in tuples { fields.join(from, to: to) }
  }

  /// `user_2` is another `user`.
  private static func target(_ name: Substring) -> String {
    var base = name
    let digits = name.reversed().prefix { $0.isNumber }.count
    if digits > 0, name.dropLast(digits).hasSuffix("_") { base = name.dropLast(digits + 1) }
    return TagExpansion.groupName(base.uppercased())
  }

  /// The text around the place where PCRE2 gave up.
  private static func place(_ error: PatternError) -> String {
    let text = Array(error.pattern.utf8)
    let from = max(0, min(error.offset, text.count) - 20)
    let to = min(text.count, error.offset + 10)
    return "\"\(String(decoding: text[from..<to], as: UTF8.self))\""
  }
}
