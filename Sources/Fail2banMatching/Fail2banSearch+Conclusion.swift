internal import Filters
internal import Matching
internal import Model

// What follows from a match: the session's other lines, and who it was.
extension Fail2banSearch {
  /// `failure` holds what was captured, by the pattern and by `prefregex`, of as many lines.
  mutating func conclude(lines: Int) -> Outcome {
    failure.users = []
    failure.attempts = lines
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
      return failure.fields.says(keys.nofail) || failure.fields.says(keys.gained)
        ? .noted : Self.outcome(of: identify())
    }
    let place = known ?? sessions.begin(failure.fields, keys.session, at: failure.time)
    let ends = failure.fields.says(keys.forget)
    defer { if ends { sessions.end(place) } }
    let isHelper = sessions.all[place].merge(&failure.fields, keys, lines: lines, isNew: known == nil, ends: ends)
    if isHelper { return .noted }
    failure.users = sessions.all[place].users
    failure.attempts = sessions.all[place].matches
    let outcome = Self.outcome(of: identify())
    sessions.all[place].isPending = outcome == .pending
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
  private mutating func enter() -> Int? {
    guard let place = sessions.find(failure.fields, filter.keys.session, at: failure.time) else { return nil }
    guard !isOfAnotherAddress(sessions.all[place].fields) else {
      sessions.end(place)
      return nil
    }
    sessions.all[place].seen = failure.time
    return place
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
    if failure.fields[keys.ip4] != nil {
      identify(keys.ip4)
    } else if failure.fields[keys.ip6] != nil {
      identify(keys.ip6)
    } else if failure.fields[keys.dns] != nil {
      return identifyName()
    } else {
      guard let id = failure.fields.array(keys.fid) else { return .unknown }
      failure.identity = Self.identity(id)
      failure.host = id
    }
    return .known
  }

  /// By a host that has an address's shape.
  private mutating func identify(_ field: Int) {
    let keys = filter.keys
    failure.host.removeAll(keepingCapacity: true)
    let address = failure.fields.withSpan(field) { Address(parsing: $0) } ?? nil
    if let address, !failure.fields.says(keys.cidr) {
      failure.host += address.description.utf8
      failure.identity = .address(address)
    } else {
      let text = failure.fields.array(field) ?? []
      failure.host = address.map { Array($0.description.utf8) } ?? text
      failure.identity = Self.identity(text, address, failure.fields.array(keys.cidr))
    }
    takeOwnID(besides: field)
  }

  private mutating func identifyName() -> Identification {
    let host = failure.fields.array(filter.keys.dns) ?? []
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
    takeOwnID(besides: filter.keys.dns)
    return .known
  }

  /// An id of its own beside the host.
  private mutating func takeOwnID(besides host: Int) {
    let id = filter.keys.fid
    guard failure.fields[id] != nil, !failure.fields.equals(id, host), let text = failure.fields.array(id) else {
      return
    }
    failure.identity = Self.identity(text)
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

extension Fail2banSessions.Session {
  /// Adds what the line captured to the session and the other way round. True: the line is no failure.
  mutating func merge(
    _ line: inout CapturedFields, _ keys: Fail2banFilter.Keys, lines: Int, isNew: Bool, ends: Bool
  ) -> Bool {
    let gains = line.says(keys.gained)
    var helps = gains || line.says(keys.nofail)
    line.remove(keys.forget)
    if gains, !line.says(keys.nofail) { line.copy(keys.gained, to: keys.nofail) }
    if line.says(keys.user), let user = line.array(keys.user) { add(user: user) }
    if !isNew {
      let helped = fields.says(keys.nofail) || fields.says(keys.gained)
      fields.remove(keys.nofail)
      fields.remove(keys.gained)
      if gains { isPending = false }
      // What stood behind an earlier failure has been reported with it.
      if !helped, !isPending { matches = 0 }
    }
    share(&line)
    // A failure that waits, or several users in one session: success does not make up for that.
    if isPending || users.count > 1 {
      for field in [keys.nofail, keys.gained] {
        line.remove(field)
        fields.remove(field)
      }
      helps = false
    }
    isPending = false
    if !helps {
      matches += helpers + lines
      helpers = 0
    } else if !ends {
      helpers += lines
    }
    return line.says(keys.nofail)
  }

  /// The line's texts go into the session, cut to what is kept; what the line does not say, the session does.
  private mutating func share(_ line: inout CapturedFields) {
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
