internal import Model

/// From a pattern's groups to what a failure is made of.
extension LineScanner {
  /// Takes the groups of a match; false when its host is no address. `base`: where the subject begins in the line; nil: it
  /// is no part of it.
  mutating func take(_ candidate: NativePattern, _ subject: borrowing Span<UInt8>, at base: Int?) -> Bool {
    guard let host = scratch.first(of: candidate.hosts), let address = Address(parsing: subject.extracting(host)) else {
      return false
    }
    match.reset()
    match.address = address
    match.hostOffset = host.lowerBound
    match.host = text(subject, host, base)
    match.attempt = candidate.attempt
    if candidate.attempt != .alone, let port = scratch.first(of: candidate.ports) {
      match.port = UInt16(clamping: Self.number(subject, port))
    }
    if let user = scratch.first(of: candidate.users) { match.user = text(subject, user, base) }
    if let rule = scratch.first(of: candidate.rules) { match.rule = text(subject, rule, base) }
    if let group = candidate.count, let range = scratch.group(group) { match.count = Self.number(subject, range) }
    switch candidate.weight {
    case .fixed(let value): match.weight = Int(value)
    case .captured(let group, let values, let otherwise):
      match.weight = Int(otherwise)
      if let range = scratch.group(group) {
        for (text, value) in values where Self.equal(subject, range, text) { match.weight = Int(value) }
      }
    }
    if keepsCaptures {
      for (name, group) in candidate.pattern.names {
        guard let range = scratch.group(group) else { continue }
        var value: [UInt8] = []
        value.append(subject, range)
        match.captures.append(Match.Capture(name: name, value: value))
      }
    }
    return true
  }

  private mutating func text(_ subject: borrowing Span<UInt8>, _ range: Range<Int>, _ base: Int?) -> Match.Text {
    guard let base else { return match.keep(subject, range) }
    return Match.Text(range: base + range.lowerBound..<base + range.upperBound, isInLine: true)
  }

  /// A count as it is in the line, 1 to a million: what is written there is the daemon's, but the arithmetic is ours.
  private static func number(_ text: borrowing Span<UInt8>, _ range: Range<Int>) -> Int {
    let digits = text.extracting(range)
    var value = 0
    var i = 0
    while i < digits.count, value < 1_000_000 {
      let digit = digits[i] &- UInt8(ascii: "0")
      guard digit < 10 else { break }
      value = value &* 10 &+ Int(digit)
      i &+= 1
    }
    return min(max(value, 1), 1_000_000)
  }

  private static func equal(_ text: borrowing Span<UInt8>, _ range: Range<Int>, _ other: [UInt8]) -> Bool {
    guard range.count == other.count else { return false }
    for i in 0..<other.count where text[range.lowerBound + i] != other[i] { return false }
    return true
  }
}
