/// What a `%` directive of a datepattern finds: strptime(3)'s, and fail2ban's exact forms (`%ExY`: a year of this century).
/// Digits are ASCII digits, so that what is found can always be read.
enum DateDirectives {
  struct Expansion {
    var regex: String
    /// Month and day names are found in any case.
    var isCaseless: Bool
  }

  struct Failure: Error { var reason: String }

  /// `pattern` with its directives replaced by groups named after them.
  static func expand(_ pattern: String) throws(Failure) -> Expansion {
    var out = ""
    var caseless = false
    var rest = pattern[...]
    while let percent = rest.firstIndex(of: "%") {
      out += rest[..<percent]
      rest = rest[rest.index(after: percent)...]
      guard let (name, regex) = directive(at: rest) else {
        throw Failure(reason: "%\(rest.prefix(1)) is not a directive of a datepattern; a percent sign itself is %%")
      }
      out += regex
      if ["a", "A", "b", "B", "p", "c"].contains(name) { caseless = true }
      rest = rest.dropFirst(name.count)
    }
    return Expansion(regex: out + rest, isCaseless: caseless)
  }

  /// The directive that `text` begins with; the exact ones (`Ex…`) are longer than one letter.
  private static func directive(at text: Substring) -> (String, String)? {
    if text.hasPrefix("Ex") {
      let name = String(text.prefix(3))
      if let regex = exact[name] { return (name, regex) }
    }
    let name = String(text.prefix(1))
    return plain[name].map { (name, $0) }
  }

  private static let shortMonths = "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec"
  private static let longMonths =
    "september|february|november|december|january|october|august|march|april|june|july|may"
  private static let shortDays = "mon|tue|wed|thu|fri|sat|sun"
  private static let longDays = "wednesday|thursday|saturday|tuesday|monday|friday|sunday"
  private static let abbreviation = "[A-Z](?:[A-Z]{2,4})?"
  private static let offset = "[+-][01][0-9](?::?[0-9]{2})?"

  private static let plain: [String: String] = [
    "%": "%",
    "Y": "(?<Y>[0-9]{4})", "G": "(?<G>[0-9]{4})", "y": "(?<y>[0-9]{2})",
    "m": "(?<m>0?[1-9]|1[0-2])", "b": "(?<b>\(shortMonths))", "B": "(?<B>\(longMonths))",
    "d": "(?<d>[12][0-9]|[0 ]?[1-9]|3[01])",
    "a": "(?<a>\(shortDays))", "A": "(?<A>\(longDays))", "w": "(?<w>[0-6])", "u": "(?<u>[1-7])",
    "j": "(?<j>36[0-6]|3[0-5][0-9]|[12][0-9][0-9]|0[1-9][0-9]|00[1-9]|[1-9][0-9]|0[1-9]|[1-9])",
    "U": "(?<U>5[0-3]|[0-4][0-9]|[0-9])", "W": "(?<W>5[0-3]|[0-4][0-9]|[0-9])",
    "V": "(?<V>5[0-3]|0[1-9]|[1-4][0-9]|[0-9])",
    "H": "(?<H>[01]?[0-9]|2[0-3])", "k": " ?(?<H>[0-2]?[0-9])",
    "I": "(?<I>1[0-2]|0[1-9]|[1-9])", "l": " ?(?<I>1?[0-9])", "p": "(?<p>am|pm)",
    "M": "(?<M>[0-5]?[0-9])", "S": "(?<S>[0-5]?[0-9]|6[01])", "f": "(?<f>[0-9]{1,6})",
    "z": "(?<z>Z|UTC|GMT|\(offset))", "Z": "(?<Z>Z|[A-Z]{3,5})",
    "c": "(?<a>\(shortDays))\\s+(?<b>\(shortMonths))\\s+(?<d>3[01]|[12][0-9]|[0 ]?[1-9])\\s+(?<H>2[0-3]|[01]?[0-9])"
      + ":(?<M>[0-5]?[0-9]):(?<S>6[01]|[0-5]?[0-9])\\s+(?<Y>[0-9]{4})",
    "x": "(?<m>1[0-2]|0?[1-9])/(?<d>3[01]|[12][0-9]|[0 ]?[1-9])/(?<y>[0-9]{2})",
    "X": "(?<H>2[0-3]|[01]?[0-9]):(?<M>[0-5]?[0-9]):(?<S>6[01]|[0-5]?[0-9])",
  ]

  private static let exact: [String: String] = [
    // fail2ban admits the decades from 2000 to three years ahead.
    "ExY": "(?<Y>20[0-3][0-9])", "Exy": "(?<y>[0-9]{2})",
    "Exm": "(?<m>0[1-9]|1[0-2])", "Exd": "(?<d>[12][0-9]|0[1-9]|3[01])",
    "ExH": "(?<H>[01][0-9]|2[0-3])", "Exk": " ?(?<H>[01]?[0-9]|2[0-3])", "Exl": " ?(?<I>1[0-2]|[0-9])",
    "ExM": "(?<M>[0-5][0-9])", "ExS": "(?<S>[0-5][0-9]|6[01])",
    "Exz": "(?<z>(?:\(abbreviation))?\(offset)|\(abbreviation))", "ExZ": "(?<Z>\(abbreviation))",
  ]
}
