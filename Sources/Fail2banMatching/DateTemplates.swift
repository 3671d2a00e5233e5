/// The ways of writing a date that are tried where a filter names none, and those that a `datepattern` represents.
enum DateTemplates {
  /// In the order in which they are tried.
  private static let patterns = [
    // 2005-01-23T21:59:59.98Z, 2005/01/23 21:59:59, 2006.12.21 06:43:20 +0200
    LineStartStamp.iso8601.datepattern,
    // Sun Jan 23 21:59:59.011 2005, Jan 23 21:59:59
    LineStartStamp.syslog.datepattern,
    // Sun Jan 23 2005 21:59:59.011
    "(?:%a )?%b %d %ExY %k:%M:%S(?:\\.%f)?",
    // 23/01/2005 21:59:59, 23-01-05 21:59:59
    "%d(?<sep>[-/])%m\\g{sep}(?:%ExY|%Exy) %k:%M:%S",
    // 31/Oct/2006:09:22:55 -0000, 26-Jul-2007 15:20:52.252
    "%d(?<sep>[-/])%b\\g{sep}%ExY[ :]?%H:%M:%S(?:\\.%f)?(?: %z)?",
    // 05/20/2008:01:57:39
    "%m/%d/%ExY:%H:%M:%S",
    // 01-27-2012 16:22:44.252
    "%m-%d-%ExY %k:%M:%S(?:\\.%f)?",
    // 1124013600, [1124013600], audit(1124013600.123:45)
    "EPOCH",
    // 21:59:59, at the line's start
    "{^LN-BEG}%H:%M:%S",
    // <09/16/08@05:03:30>
    "^<%m/%d/%Exy@%H:%M:%S>",
    // 130322 11:46:11
    "%Exy%Exm%Exd {1,2}%H:%M:%S",
    // Apr 16, 2005 09:05:29 PM
    "%b %d, %ExY %I:%M:%S %p",
    // Apr-27-13 02:33:06
    "^%b-%d-%Exy %k:%M:%S",
    // 20050123T215959Z, 20050123 215959
    "%ExY%Exm%Exd(?:T| {1,2})%ExH%ExM%ExS(?:[.,]%f)?(?:\\s*%z)?",
    // PDT Apr 16 21:05:29
    "(?:%Z )?(?:%a )?%b %d %k:%M:%S(?:\\.%f)?(?: %ExY)?",
    // +0100 Jan 23 21:59:59.011 2005
    "(?:%z )?(?:%a )?%b %d %k:%M:%S(?:\\.%f)?(?: %ExY)?",
    // @4000000041f41b7f00000000
    "TAI64N",
  ]

  /// Compiled once for all filters. The patterns stand above, so that they compile is this file's own business.
  private static let plain: [DateTemplate] = patterns.map { try! DateTemplate.make($0) }

  /// First each one bound to the line's start, where dates usually are, then each one anywhere.
  static let defaults: [DateTemplate] =
    zip(patterns, plain).compactMap { text, template in
      text.hasPrefix("{^LN-BEG}") || text.hasPrefix("^") ? nil : try! DateTemplate.make("{^LN-BEG}" + text, weight: 100)
    } + plain

  /// The templates that a datepattern represents: one on each of its lines.
  static func parse(_ datepattern: String) throws(DateTemplate.Failure) -> [DateTemplate] {
    var found: [DateTemplate] = []
    var names: Set<String> = []
    for line in datepattern.split(whereSeparator: \.isNewline) {
      let text = String(line).trimmed
      guard !text.isEmpty else { continue }
      let added: [DateTemplate]
      do { added = try templates(for: text) } catch {
        throw DateTemplate.Failure(reason: "\"\(text)\": \(error.reason)")
      }
      for template in added where names.insert(template.name).inserted { found.append(template) }
    }
    return found.isEmpty ? defaults : found
  }

  private static func templates(for text: String) throws(DateTemplate.Failure) -> [DateTemplate] {
    switch text.contains("%") ? text : text.uppercased() {
    case "{^LN-BEG}": return defaults.filter(\.beginsLine)
    case "{DEFAULT}": return defaults
    case "{NONE}": return [try DateTemplate.make("{UNB}^")]
    case let key where key.contains("{DATE}"):
      var wrapped: [DateTemplate] = []
      for pattern in patterns { wrapped.append(try DateTemplate.make(wrap(text, around: pattern))) }
      return wrapped
    default: return [try DateTemplate.make(text)]
    }
  }

  /// `text` with the default pattern, without its own bounds, in place of `{DATE}`.
  private static func wrap(_ text: String, around pattern: String) -> String {
    let inner = pattern.hasPrefix("{^LN-BEG}") ? String(pattern.dropFirst(9)) : pattern
    var out = ""
    var rest = text[...]
    while let open = rest.firstIndex(of: "{") {
      out += rest[..<open]
      rest = rest[open...]
      if rest.prefix(6).uppercased() == "{DATE}", !out.hasSuffix("\\") {
        out += inner
        rest = rest.dropFirst(6)
      } else {
        out += "{"
        rest = rest.dropFirst()
      }
    }
    return out + rest
  }
}
