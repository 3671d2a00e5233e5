internal import Matching

/// One way of writing a date, as a pattern with what its groups mean. Group 1 is what is cut out of the line.
final class DateTemplate: Sendable {
  enum Reading: Sendable {
    /// Groups named after their directives.
    case fields([(directive: UInt8, group: Int)])
    /// Seconds since 1970; `long`: or milliseconds or microseconds, by the number of digits.
    case epoch(group: Int, long: Bool)
    /// TAI64N, `@` and 24 hexadecimal digits (https://cr.yp.to/libtai/tai64.html).
    case tai64n
  }

  /// Tells templates apart: a second one of the same name is not added.
  let name: String
  /// The text after `{^LN-BEG}` and `{UNB}`, for wrapping into `{DATE}`.
  let source: String
  let pattern: Pattern
  let reading: Reading
  /// Bound to the line's begin or end: what it finds is not questioned.
  let isAnchored: Bool
  let beginsLine: Bool
  /// Nothing of the line but at most two characters that no word has precedes what is cut out.
  let cutsLineStart: Bool
  /// The stamp that is read by hand before the pattern is tried; nil: there is none.
  let stamp: LineStartStamp?
  /// The default templates that are bound to the line's begin outweigh the others.
  let weight: Double

  struct Failure: Error { var reason: String }

  private init(
    name: String, source: String, shape: DateTemplateShape, weight: Double, stamp: LineStartStamp? = nil,
    reading: (Pattern) -> Reading
  ) throws(Failure) {
    self.name = shape.isStartBound && !name.hasPrefix("{^LN-BEG}") ? "{^LN-BEG}" + name : name
    self.source = source
    self.weight = weight
    self.stamp = stamp
    beginsLine = shape.beginsLine
    cutsLineStart = shape.cutsLineStart
    isAnchored = shape.beginsLine || shape.endsLine
    do {
      pattern = try Pattern(
        PythonPattern(shape.regex).text, options: shape.isCaseless ? [.unicode, .caseless] : .unicode)
    } catch {
      throw Failure(reason: error.message)
    }
    self.reading = reading(pattern)
  }

  /// A template as a datepattern names it: `EPOCH`, `{^LN-BEG}%Y-%m-%d`, `x{EPOCH}`, `TAI64N`, …
  static func make(_ text: String, weight: Double = 1) throws(Failure) -> DateTemplate {
    let key = text.contains("%") ? text : text.uppercased()
    if key.contains("EPOCH") {
      let long = key.contains("LEPOCH")
      if let wrapped = try epoch(in: text, long: long, weight: weight) { return wrapped }
      switch key {
      case "EPOCH", "LEPOCH": return try epoch(long: long, atStart: false, weight: weight)
      case "{^LN-BEG}EPOCH", "^EPOCH", "{^LN-BEG}LEPOCH", "^LEPOCH":
        return try epoch(long: long, atStart: true, weight: weight)
      default: break
      }
    }
    switch key {
    case "TAI64N": return try tai64n(atStart: false, weight: weight)
    case "{^LN-BEG}TAI64N", "^TAI64N": return try tai64n(atStart: true, weight: weight)
    default: return try fields(text, weight: weight)
    }
  }

  private static func fields(_ text: String, weight: Double) throws(Failure) -> DateTemplate {
    var source = text
    var begin = DateTemplateShape.Begin.word
    var end = true
    if source.hasPrefix("{UNB}") {
      source = String(source.dropFirst(5))
      begin = .open
      end = false
    } else if source.hasPrefix("{^LN-BEG}") {
      source = String(source.dropFirst(9))
      begin = .lineStart
    }
    let expansion: DateDirectives.Expansion
    do { expansion = try DateDirectives.expand(source) } catch { throw Failure(reason: error.reason) }
    let shape = DateTemplateShape(expansion.regex, begin: begin, end: end, isCaseless: expansion.isCaseless)
    let stamp = begin == .lineStart ? LineStartStamp(datepattern: source) : nil
    return try DateTemplate(name: source, source: text, shape: shape, weight: weight, stamp: stamp) { pattern in
      .fields(
        pattern.names.compactMap { entry in
          entry.name.utf8.count == 1 ? (directive: entry.name.utf8.first!, group: entry.group) : nil
        })
    }
  }

  private static func digits(long: Bool) -> String {
    long ? "[0-9]{10,11}(?:[0-9]{3}(?:\\.[0-9]{1,6}|[0-9]{3})?)?" : "[0-9]{10,11}\\b(?:\\.[0-9]{3,6})?"
  }

  /// Seconds at the line's start, in `[…]` there, or behind `audit(`.
  private static func epoch(long: Bool, atStart: Bool, weight: Double) throws(Failure) -> DateTemplate {
    let digits = digits(long: long)
    let name = long ? "LongEpoch" : "Epoch"
    let shape =
      atStart
      ? DateTemplateShape(
        "((?<square>(?<=^\\[))?\(digits))(?(<square>)(?=\\]))", begin: .lineStart, end: true, isCaseless: false,
        groupLeads: true)
      : DateTemplateShape(
        "((?:^|(?<square>(?<=^\\[))|(?<audit>(?<=\\baudit\\()))\(digits))"
          + "(?:(?(<audit>)(?=:[0-9]+\\)))|(?(<square>)(?=\\])))",
        begin: .open, end: true, isCaseless: false)
    return try DateTemplate(name: name, source: name, shape: shape, weight: weight) { _ in
      .epoch(group: 1, long: long)
    }
  }

  /// A pattern around `{EPOCH}` or `{LEPOCH}`, all of which is cut; nil when neither is in it.
  private static func epoch(in text: String, long: Bool, weight: Double) throws(Failure) -> DateTemplate? {
    let bytes = Array(text.utf8)
    var out = "("
    var found = false
    var from = 0
    var at = 0
    while at < bytes.count {
      let word = bytes[at...].prefix(8)
      let upper = String(decoding: word, as: UTF8.self).uppercased()
      let length = upper.hasPrefix("{EPOCH}") ? 7 : upper == "{LEPOCH}" ? 8 : 0
      if length > 0, at == 0 || bytes[at - 1] != UInt8(ascii: "\\") {
        out += String(decoding: bytes[from..<at], as: UTF8.self) + "(\(digits(long: long)))"
        at += length
        from = at
        found = true
      } else {
        at += 1
      }
    }
    guard found else { return nil }
    out += String(decoding: bytes[from...], as: UTF8.self) + ")"
    let shape = DateTemplateShape(out, begin: .word, end: true, isCaseless: false)
    return try DateTemplate(name: text, source: text, shape: shape, weight: weight) { _ in
      .epoch(group: 2, long: long)
    }
  }

  private static func tai64n(atStart: Bool, weight: Double) throws(Failure) -> DateTemplate {
    let shape = DateTemplateShape(
      "@[0-9a-f]{24}", begin: atStart ? .lineStart : .open, end: true, isCaseless: false)
    return try DateTemplate(name: "TAI64N", source: "TAI64N", shape: shape, weight: weight) { _ in .tai64n }
  }
}
