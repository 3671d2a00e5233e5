internal import Model

// What follows from a match: the session's other lines, and who it was.
extension Fail2banSearch {
  /// `failure` holds what was captured, by the pattern and by `prefregex`. `line` is the line without its date; `matched`
  /// the lines of a match over several.
  mutating func conclude(_ line: [UInt8], _ matched: [[UInt8]]) -> Outcome {
    failure.users.removeAll(keepingCapacity: true)
    failure.lines.removeAll(keepingCapacity: true)
    failure.attempts = max(1, matched.count)
    if matched.count > 1 {
      var lines = MatchedLines()
      for line in matched { lines.add(line.span) }
      failure.lines = lines.lines
    }
    let keys = filter.keys
    guard failure.fields[keys.session] != nil else {
      // Without a session there is nobody to whom the line's data could be of use.
      if failure.fields.says(keys.nofail) { return .noted }
      return identify() == .known ? .failure : .none
    }
    let known = enter()
    if known == nil, failure.fields.says(keys.forget) {
      // A session of which this line is both the first and the last is none.
      failure.fields.remove(keys.forget)
      return failure.fields.says(keys.nofail) || failure.fields.says(keys.gained) ? .noted : Self.outcome(of: identify())
    }
    var session = SessionVisit(known ?? sessions.begin(failure.fields, keys.session, at: failure.time))
    var current = MatchedLines()
    if matched.isEmpty {
      current.add(line.span.extracting(0..<line.count - 1))
    } else {
      for line in matched { current.add(line.span) }
    }
    let isHelper = session.merge(&failure.fields, keys, current, isNew: known == nil)
    guard !isHelper else {
      if !session.ends { sessions.put(session.state) }
      return .noted
    }
    failure.users = session.state.users
    failure.attempts = session.state.matches.count
    failure.lines = session.state.matches.count > 1 ? session.state.matches.lines : []
    let outcome = Self.outcome(of: identify())
    session.state.isPending = outcome == .pending
    if !session.ends { sessions.put(session.state) }
    return outcome
  }

  private static func outcome(of identification: Identification) -> Outcome {
    switch identification {
    case .known: .failure
    case .unknown: .pending
    case .unresolved: .none
    }
  }

  /// The session that the line belongs to; nil when it begins one. A line with another address than the session's begins a
  /// new one under the same key: the process id is in use again.
  private mutating func enter() -> Fail2banSessions.Session? {
    guard var known = sessions.take(failure.fields, filter.keys.session, at: failure.time),
      !isOfAnotherAddress(known.fields)
    else { return nil }
    known.seen = failure.time
    return known
  }

  /// Does the line name another address than the session, in the same family or the other one?
  private mutating func isOfAnotherAddress(_ known: CapturedFields) -> Bool {
    let (ip4, ip6) = (filter.keys.ip4, filter.keys.ip6)
    let (names4, names6) = (failure.fields[ip4] != nil, failure.fields[ip6] != nil)
    let (named4, named6) = (known[ip4] != nil, known[ip6] != nil)
    if names4, named4 { return !failure.fields.equals(ip4, known) }
    if names6, named6 { return !failure.fields.equals(ip6, known) }
    return (names4 || names6) && (named4 || named6)
  }

  private enum Identification { case known, unknown, unresolved }

  /// Finds who it was: an address of the host, else the id that the filter names.
  private mutating func identify() -> Identification {
    let keys = filter.keys
    let fields = failure.fields
    let hostField = [keys.ip4, keys.ip6, keys.dns].first { fields[$0] != nil }
    guard let hostField, let host = fields.array(hostField) else {
      guard let id = fields.array(keys.fid) else { return .unknown }
      failure.identity = Self.identity(id)
      failure.host = id
      return .known
    }
    if hostField == keys.dns {
      failure.host = host
      if let address = Address(parsing: host.span) {
        failure.identity = .address(address)
        return .known
      }
      switch filter.usedns {
      case .yes, .warn:
        failure.identity = .hostname(host)
        return .known
      case .no:
        counts.unresolved += 1
        return .unresolved
      case .raw:
        failure.identity = .name(host)
      }
    } else {
      let address = Address(parsing: host.span)
      failure.host = address.map(Self.text) ?? host
      failure.identity = Self.identity(host, address, fields.array(keys.cidr))
    }
    // An id of its own beside the host.
    if let id = fields.array(keys.fid), id != host { failure.identity = Self.identity(id) }
    return .known
  }

  private static func text(_ address: Address) -> [UInt8] {
    guard address.isIPv4 else { return Array(address.description.utf8) }
    var text: [UInt8] = []
    text.reserveCapacity(15)
    let quad = DottedQuad(address.ipv4)
    for i in 0..<quad.count { text.append(quad.bytes[i]) }
    return text
  }

  private static func identity(_ host: [UInt8], _ address: Address?, _ cidr: [UInt8]?) -> Fail2banFailure.Identity {
    guard let address else { return .name(host) }
    guard let cidr, !cidr.isEmpty else { return .address(address) }
    let text = "\(address)/\(String(decoding: cidr, as: UTF8.self))"
    return Subnet(text).map { .subnet($0) } ?? .name(Array(text.utf8))
  }

  /// An id in a filter's own words may still be an address, also in brackets, or a block.
  private static func identity(_ id: [UInt8]) -> Fail2banFailure.Identity {
    var text = id[...]
    if text.count > 2, text.first == UInt8(ascii: "["), text.last == UInt8(ascii: "]") {
      text = text.dropFirst().dropLast()
    }
    guard let subnet = Subnet(String(decoding: text, as: UTF8.self)) else { return .name(id) }
    return subnet.isSingleAddress ? .address(subnet.base) : .subnet(subnet)
  }
}

/// A session while one of its lines is dealt with.
struct SessionVisit {
  var state: Fail2banSessions.Session
  /// Nothing is kept of it after this line.
  private(set) var ends = false

  init(_ state: Fail2banSessions.Session) { self.state = state }

  /// Adds what the line captured to the session and the other way round. True: the line is no failure.
  mutating func merge(
    _ fields: inout CapturedFields, _ keys: Fail2banFilter.Keys, _ lines: MatchedLines, isNew: Bool
  ) -> Bool {
    let gains = fields.says(keys.gained)
    var helps = gains || fields.says(keys.nofail)
    ends = fields.says(keys.forget)
    fields.remove(keys.forget)
    if gains, !fields.says(keys.nofail) { fields.copy(keys.gained, to: keys.nofail) }
    if fields.says(keys.user), let user = fields.array(keys.user) { state.add(user: user) }
    if !isNew {
      let helped = state.fields.says(keys.nofail) || state.fields.says(keys.gained)
      state.fields.remove(keys.nofail)
      state.fields.remove(keys.gained)
      if gains { state.isPending = false }
      // What stood behind an earlier failure has been reported with it.
      if !helped, !state.isPending { state.matches = MatchedLines() }
    }
    state.share(&fields)
    // A failure that waits, or several users in one session: success does not make up for that.
    if state.isPending || state.users.count > 1 {
      for field in [keys.nofail, keys.gained] {
        fields.remove(field)
        state.fields.remove(field)
      }
      helps = false
    }
    state.isPending = false
    if !helps {
      var all = state.helpers
      all.add(state.matches)
      all.add(lines)
      state.matches = all
      state.helpers = MatchedLines()
    } else if !ends {
      state.helpers.add(lines)
    }
    return fields.says(keys.nofail)
  }
}

extension Fail2banSessions.Session {
  /// The line's texts go into the session, cut to what is kept; what the line does not say, the session does.
  fileprivate mutating func share(_ line: inout CapturedFields) {
    for field in line.indices {
      if line[field] != nil {
        fields.take(field, from: line, limit: Fail2banSessions.longest)
      } else {
        line.take(field, from: fields)
      }
    }
    fields.compact(above: 4 * Fail2banSessions.longest)
  }
}
