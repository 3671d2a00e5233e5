internal import Model

/// A rate as people write it: `5000/1s`, or one of common practice by its name.
extension Rate {
  /// What hosting providers use for one address.
  static let presets: [(name: String, limit: Rate)] = [
    ("logins", Rate(count: 10, span: .seconds(1))),
    ("requests", Rate(count: 150, span: .minutes(1))),
    ("request-floods", Rate(count: 5000, span: .seconds(1))),
    ("connections", Rate(count: 5, span: .seconds(10))),
    ("mails", Rate(count: 50, span: .seconds(1))),
  ]

  /// Nil, and said, when it is none.
  init?(_ value: Value, _ key: String = "limit") {
    let remedy = "write for example 150/1m, or \(listed(Self.presets.map(\.name)))"
    guard let text = value.name(key) else { return nil }
    if let preset = Self.presets.first(where: { $0.name == text }) {
      self = preset.limit
      return
    }
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2, let count = Int(parts[0]), Limits.maxretry.contains(count) else {
      value.fail("`\(key)` is \(quoted(text)), which is no number and time", remedy)
      return nil
    }
    do {
      // `10/s` is ten a second.
      let time = parts[1].first.map(\.isNumber) == true ? String(parts[1]) : "1\(parts[1])"
      let span = try TimeSpan(parsing: time)
      guard span > .zero, !parts[1].isEmpty else {
        value.fail("`\(key)` is \(quoted(text)), whose time is not above 0", remedy)
        return nil
      }
      self.init(count: count, span: span)
    } catch {
      value.fail("`\(key)` is \(quoted(text)), whose time \(error)", remedy)
      return nil
    }
  }
}
