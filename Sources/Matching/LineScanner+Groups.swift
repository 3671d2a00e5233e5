internal import Filters
internal import Model

/// From a pattern's groups and fields to what a failure is made of.
extension LineScanner {
  /// Tries one pattern on a subject, whose fields have been read if it has any. When it matches, `match` holds what it says.
  /// `base`: where the subject begins in the line; nil: it is no part of it.
  mutating func attempt(
    _ candidate: NativePattern, _ subject: borrowing Span<UInt8>, at base: Int?
  ) -> MatchScratch.Outcome {
    if let expression = candidate.expression {
      let outcome = scratch.match(expression.pattern, subject)
      guard outcome == .matched else { return outcome }
      match.reset()
      match.weight = candidate.weight.otherwise
      guard capture(expression, candidate, subject, at: base, offset: 0) else { return .none }
    } else {
      match.reset()
      match.weight = candidate.weight.otherwise
    }
    // A list that is gone through is counted as used, by an instruction that processors wait for each other with: most are empty.
    if !candidate.conditions.isEmpty {
      for condition in candidate.conditions {
        let outcome = holds(condition, candidate, subject, at: base)
        guard outcome == .matched else { return outcome }
      }
    }
    match.event = candidate.event
    match.attempt = candidate.attempt
    match.actLength = candidate.actLength
    if !candidate.act.isEmpty {
      for case .field(let slots) in candidate.act {
        guard let value = present(slots) else { continue }
        match.connection = fields.withText(value, of: subject) { Self.mix($0, 0..<$0.count, into: match.connection) }
      }
    }
    if !candidate.roles.isEmpty { takeRoles(candidate, subject, at: base) }
    if case .field(let slots) = candidate.joinKey, let value = present(slots) {
      match.joinKey = fields.withText(value, of: subject) { Self.joinKey(candidate, $0, 0..<$0.count) }
    }
    return match.host.isEmpty && match.joinKey == 0 && match.event == nil ? .none : .matched
  }

  /// Takes the groups of an expression that has just matched `text`, which begins at `base` in the line, and at `offset` in
  /// what the pattern sees; false when its host is no address.
  mutating func capture(
    _ expression: CompiledExpression, _ candidate: NativePattern, _ text: borrowing Span<UInt8>, at base: Int?,
    offset: Int
  ) -> Bool {
    if !expression.hosts.isEmpty {
      if let host = scratch.first(of: expression.hosts), let address = Address(parsing: text.extracting(host)) {
        match.address = address
        match.hostOffset = offset + host.lowerBound
        match.host = self.text(text, host, base)
      } else if candidate.event == nil {
        return false
      }
    }
    if candidate.attempt != .alone || candidate.role == .opens, let port = scratch.first(of: expression.ports) {
      match.port = UInt16(clamping: Self.number(text, port))
    }
    if let user = scratch.first(of: expression.users) { match.user = self.text(text, user, base) }
    if let range = scratch.first(of: expression.forwarded) { match.forwarded = self.text(text, range, base) }
    if let rule = scratch.first(of: expression.rules) { match.rule = self.text(text, rule, base) }
    if let app = scratch.first(of: expression.apps) { match.app = self.text(text, app, base) }
    if candidate.event != nil {
      if let range = scratch.first(of: expression.targets) { match.target = self.text(text, range, base) }
      if let range = scratch.first(of: expression.details) { match.detail = self.text(text, range, base) }
    }
    if let group = expression.count, let range = scratch.group(group) { match.count = Self.number(text, range) }
    if case .captured(let owner, let group, let values, _) = candidate.weight, owner === expression,
      let range = scratch.group(group), let weight = Self.weight(text, range, values)
    {
      match.weight = weight
    }
    if !candidate.act.isEmpty {
      for case .captured(let owner, let group) in candidate.act where owner === expression {
        guard let range = scratch.group(group), !range.isEmpty else { continue }
        match.connection = Self.mix(text, range, into: match.connection)
      }
    }
    if case .captured(let owner, let group) = candidate.joinKey, owner === expression,
      let range = scratch.group(group), !range.isEmpty
    {
      match.joinKey = Self.joinKey(candidate, text, range)
    }
    if keepsCaptures {
      for (name, group) in expression.pattern.names {
        guard let range = scratch.group(group) else { continue }
        var value: [UInt8] = []
        value.append(text, range)
        match.captures.append(Match.Capture(name: name, value: value))
      }
    }
    return true
  }

  /// A text's part of the key of an act (FNV-1a). Who makes two texts alike has no more of it than who sends the same text.
  private static func mix(_ text: borrowing Span<UInt8>, _ range: Range<Int>, into key: UInt64) -> UInt64 {
    var key = key == 0 ? 0xCBF2_9CE4_8422_2325 : key &* 0x100_0000_01B3
    for at in range { key = (key ^ UInt64(text[at])) &* 0x100_0000_01B3 }
    return key | 1
  }

  /// Which of the client's connections the line is of: its port, and the process that serves it.
  mutating func connect(pid: UInt32) {
    switch match.attempt {
    case .alone, .together: break
    case .whole, .begins, .ends: match.connection = UInt64(pid) << 16 | UInt64(match.port)
    }
  }

  mutating func text(_ subject: borrowing Span<UInt8>, _ range: Range<Int>, _ base: Int?) -> Match.Text {
    guard let base else { return match.keep(subject, range) }
    return Match.Text(range: base + range.lowerBound..<base + range.upperBound, isInLine: true)
  }

  static func weight(
    _ text: borrowing Span<UInt8>, _ range: Range<Int>, _ values: [([UInt8], UInt32)]
  ) -> Int? {
    for (value, weight) in values where equal(text, range, value) { return Int(weight) }
    return nil
  }

  /// A count as it is in the line, 1 to a million: what is written there is the daemon's, but the arithmetic is ours.
  static func number(_ text: borrowing Span<UInt8>, _ range: Range<Int>) -> Int {
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

  static func equal(_ text: borrowing Span<UInt8>, _ range: Range<Int>, _ other: [UInt8]) -> Bool {
    guard range.count == other.count else { return false }
    for i in 0..<other.count where text[range.lowerBound + i] != other[i] { return false }
    return true
  }
}

extension CompiledWeight {
  /// Where nothing decides.
  fileprivate var otherwise: Int {
    switch self {
    case .fixed(let value): Int(value)
    case .captured(_, _, _, let otherwise), .field(_, _, let otherwise): Int(otherwise)
    }
  }
}
