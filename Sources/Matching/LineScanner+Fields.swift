internal import Filters
internal import Model

/// Conditions on the fields of the line at hand, and what the fields are to a failure.
extension LineScanner {
  /// Does a condition hold? What its patterns capture for the candidate is put into `match` by the way.
  mutating func holds(
    _ condition: CompiledCondition, _ candidate: NativePattern?, _ subject: borrowing Span<UInt8>, at base: Int?
  ) -> MatchScratch.Outcome {
    let value = present(condition.slots)
    for test in condition.tests {
      let outcome = holds(test, value, candidate, subject, at: base)
      guard outcome == .matched else { return outcome }
    }
    return .matched
  }

  /// The first value of the first of these slots that is there.
  func present(_ slots: [Int]) -> Int? {
    for slot in slots { if let value = fields.value(slot) { return value } }
    return nil
  }

  private mutating func holds(
    _ test: CompiledCondition.Test, _ value: Int?, _ candidate: NativePattern?, _ subject: borrowing Span<UInt8>,
    at base: Int?
  ) -> MatchScratch.Outcome {
    switch test {
    case .absent(let absent): return (value == nil) == absent ? .matched : .none
    case .not(let tests):
      for test in tests {
        let outcome = holds(test, value, nil, subject, at: base)
        guard outcome == .none else { return outcome == .matched ? .none : outcome }
      }
      return .matched
    case .equals, .match, .has, .atLeast, .below:
      var next = value
      while let value = next {
        next = fields.next(value)
        let outcome = holds(test, text: value, candidate, subject, at: base)
        guard outcome == .none else { return outcome }
      }
      return .none
    }
  }

  /// The same for one value. Without a candidate nothing is captured.
  private mutating func holds(
    _ test: CompiledCondition.Test, text value: Int, _ candidate: NativePattern?, _ subject: borrowing Span<UInt8>,
    at base: Int?
  ) -> MatchScratch.Outcome {
    fields.decode(value, of: subject)
    let range = fields.values[value].range
    switch fields.values[value].form {
    case .nothing: return .none
    case .decoded:
      // Taken out while it is lent, and put back.
      let texts = fields.takeDecoded()
      let outcome = holds(test, texts.span.extracting(range), candidate, at: nil, offset: -1)
      fields.putBack(texts)
      return outcome
    default:
      return holds(
        test, subject.extracting(range), candidate, at: base.map { $0 + range.lowerBound }, offset: range.lowerBound)
    }
  }

  private mutating func holds(
    _ test: CompiledCondition.Test, _ text: borrowing Span<UInt8>, _ candidate: NativePattern?, at base: Int?,
    offset: Int
  ) -> MatchScratch.Outcome {
    switch test {
    case .equals(let texts):
      for other in texts where Self.equal(text, 0..<text.count, other) { return .matched }
      return .none
    case .has(let set): return set.isFound(in: text, &decodedText) ? .matched : .none
    case .atLeast(let least):
      return NumberText.floor(text).map { $0 >= least } == true ? .matched : .none
    case .below(let limit):
      return NumberText.floor(text).map { $0 < limit } == true ? .matched : .none
    case .match(let expression):
      let outcome = scratch.match(expression.pattern, text)
      guard outcome == .matched, let candidate else { return outcome }
      return capture(expression, candidate, text, at: base, offset: offset) ? .matched : .none
    case .absent, .not: return .none
    }
  }

  /// What the pattern's expressions did not capture, its fields may say.
  mutating func takeRoles(_ candidate: NativePattern, _ subject: borrowing Span<UInt8>, at base: Int?) {
    if match.host.isEmpty {
      if let slots = candidate.roles[.hostPort], takeHost(slots, subject, at: base, hasPort: true) {
      } else if let slots = candidate.roles[.host] {
        _ = takeHost(slots, subject, at: base, hasPort: false)
      }
    }
    if match.user.isEmpty, let value = candidate.roles[.user].flatMap({ present($0) }) {
      match.user = text(value, subject, at: base)
    }
    if match.app.isEmpty, let value = candidate.roles[.app].flatMap({ present($0) }) {
      match.app = text(value, subject, at: base)
    }
    if candidate.attempt != .alone, let value = candidate.roles[.port].flatMap({ present($0) }) {
      match.port = fields.withText(value, of: subject) { HostText.port($0, 0..<$0.count) } ?? match.port
    }
    if case .field(let slots, let values, _) = candidate.weight, let value = present(slots) {
      let weight = fields.withText(value, of: subject) { Self.weight($0, 0..<$0.count, values) }
      match.weight = weight ?? match.weight
    }
    if match.forwarded.isEmpty, let value = candidate.roles[.forwarded].flatMap({ present($0) }) {
      takeForwarded(value, subject, at: base)
    }
    if keepsCaptures { captureFields(candidate, subject) }
  }

  /// A header that came several times is one list.
  private mutating func takeForwarded(_ value: Int, _ subject: borrowing Span<UInt8>, at base: Int?) {
    guard fields.next(value) != nil else {
      match.forwarded = text(value, subject, at: base)
      return
    }
    var all = Match.Text.empty
    var next: Int? = value
    while let value = next {
      next = fields.next(value)
      fields.decode(value, of: subject)
      let range = fields.values[value].range
      let texts = fields.takeDecoded()
      let part =
        fields.values[value].form == .decoded ? match.keep(texts.span, range) : match.keep(subject, range)
      fields.putBack(texts)
      if next != nil { _ = match.keep([UInt8(ascii: ",")]) }
      all = Match.Text(
        range: (all.isEmpty ? part.range.lowerBound : all.range.lowerBound)..<part.range.upperBound, isInLine: false)
    }
    match.forwarded = all
  }

  /// The host that one of these slots names, of the first that is there.
  private mutating func takeHost(
    _ slots: [Int], _ subject: borrowing Span<UInt8>, at base: Int?, hasPort: Bool
  ) -> Bool {
    guard let value = present(slots),
      let found = fields.withText(value, of: subject, { HostText.address($0, 0..<$0.count, hasPort: hasPort) })
    else { return false }
    match.address = found.address
    match.port = found.port
    match.hostOffset = fields.values[value].form == .decoded ? -1 : fields.values[value].range.lowerBound
    match.host = text(value, subject, at: base)
    return true
  }

  /// Where a value's text is for the failure.
  private mutating func text(_ value: Int, _ subject: borrowing Span<UInt8>, at base: Int?) -> Match.Text {
    fields.decode(value, of: subject)
    let range = fields.values[value].range
    guard fields.values[value].form == .decoded else { return text(subject, range, base) }
    let texts = fields.takeDecoded()
    defer { fields.putBack(texts) }
    return match.keep(texts.span, range)
  }

  /// For those who want to see everything: each field by its name, and what the roles found.
  private mutating func captureFields(_ candidate: NativePattern, _ subject: borrowing Span<UInt8>) {
    var found: [(name: String, value: Int)] = []
    for role in FieldRole.allCases where role != .host && role != .user {
      if let value = candidate.roles[role].flatMap({ present($0) }) { found.append((role.rawValue, value)) }
    }
    for (slot, name) in fieldNames.enumerated() {
      if let value = fields.value(slot) { found.append((name, value)) }
    }
    for (name, value) in found where !match.captures.contains(where: { $0.name == name }) {
      let bytes = fields.withText(value, of: subject) { text in
        var bytes: [UInt8] = []
        bytes.append(text, 0..<text.count)
        return bytes
      }
      match.captures.append(Match.Capture(name: name, value: bytes))
    }
  }

  /// Reads the fields of a subject; false when it is not in the filter's format.
  mutating func read(_ plan: FieldPlan, _ subject: borrowing Span<UInt8>) -> Bool {
    do throws(Unread) {
      try plan.read(subject, into: &fields, &scratch, &columnHeader)
      return true
    } catch {
      switch error {
      case .otherFormat: counts.otherFormat += 1
      case .unbelieved: counts.distrusted += 1
      case .header: break
      }
    }
    return false
  }

  /// When the line says that it happened: by the field that says so, in any of the ways in which logs write times.
  mutating func fieldTime(_ candidate: NativePattern, _ subject: borrowing Span<UInt8>, _ clock: inout LogClock)
    -> Instant?
  {
    guard let value = candidate.roles[.time].flatMap({ present($0) }) else { return nil }
    return fields.withText(value, of: subject) { Stamp.whole($0, clock: &clock) }
  }
}
