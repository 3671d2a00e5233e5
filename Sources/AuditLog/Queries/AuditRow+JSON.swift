internal import Model

/// A failure has every member of the contract; what does not apply to the other kinds is left out. Rows that are told in the
/// order of storing end with `after`. Where an id is from is left out where nobody knows.
extension AuditRow: Codable {
  private enum CodingKeys: String, CodingKey {
    case time, kind, action, jail, id, user, pattern, source, count, line, weight, filter, file, rule, message, severity
    case offset, cursor, lastTime, lastLine, until, number, cause, dryRun, uid, command, subject, detail, after
    case country, network, networkName
  }

  public func encode(to encoder: any Encoder) throws {
    var members = encoder.container(keyedBy: CodingKeys.self)
    try members.encode(time, forKey: .time)
    try members.encode(kind.rawValue, forKey: .kind)
    if kind == .failure { try encodeFailure(to: &members) } else { try encodeDecision(to: &members) }
    if let country = origin.country { try members.encode(country, forKey: .country) }
    if let network = origin.network { try members.encode(network, forKey: .network) }
    if let name = origin.networkName { try members.encode(name, forKey: .networkName) }
    if let position { try members.encode(position.description, forKey: .after) }
  }

  private func encodeFailure(to members: inout KeyedEncodingContainer<CodingKeys>) throws {
    let texts: [(CodingKeys, String)] = [
      (.jail, jail), (.id, id), (.user, user), (.pattern, pattern), (.source, source),
    ]
    for (key, text) in texts { try members.encode(text, forKey: key) }
    try members.encode(count, forKey: .count)
    try members.encode(line, forKey: .line)
    try members.encode(weight, forKey: .weight)
    try members.encode(filter, forKey: .filter)
    try members.encode(filterFile, forKey: .file)
    if !rule.isEmpty {
      try members.encode(rule, forKey: .rule)
      try members.encode(message, forKey: .message)
      try members.encode(severity, forKey: .severity)
    }
    if let offset { try members.encode(offset, forKey: .offset) }
    if let cursor { try members.encode(cursor, forKey: .cursor) }
    if let lastTime { try members.encode(lastTime, forKey: .lastTime) }
    if let lastLine { try members.encode(lastLine, forKey: .lastLine) }
  }

  private func encodeDecision(to members: inout KeyedEncodingContainer<CodingKeys>) throws {
    try members.encode(action, forKey: .action)
    if !jail.isEmpty { try members.encode(jail, forKey: .jail) }
    if !id.isEmpty { try members.encode(id, forKey: .id) }
    if action == "ban" || action == "extend" {
      // A ban without an end has a null here.
      try members.encode(until, forKey: .until)
      try members.encode(count, forKey: .count)
      try members.encode(banNumber, forKey: .number)
    }
    if !cause.isEmpty { try members.encode(cause, forKey: .cause) }
    if isDryRun { try members.encode(true, forKey: .dryRun) }
    if let uid { try members.encode(uid, forKey: .uid) }
    let texts: [(CodingKeys, String)] = [(.command, command), (.subject, subject), (.detail, detail)]
    for (key, text) in texts where !text.isEmpty { try members.encode(text, forKey: key) }
  }

  /// The row's number and what is not told (the last offset) are lost on the way.
  public init(from decoder: any Decoder) throws {
    let members = try decoder.container(keyedBy: CodingKeys.self)
    let name = try members.decode(String.self, forKey: .kind)
    guard let kind = Kind(rawValue: name) else {
      throw DecodingError.dataCorruptedError(forKey: .kind, in: members, debugDescription: "unknown kind \(name)")
    }
    func text(_ key: CodingKeys) throws -> String { try members.decodeIfPresent(String.self, forKey: key) ?? "" }
    self.init(
      kind: kind, number: 0, time: try members.decode(Instant.self, forKey: .time),
      action: try members.decodeIfPresent(String.self, forKey: .action) ?? kind.rawValue)
    jail = try text(.jail)
    id = try text(.id)
    count = try members.decodeIfPresent(Int.self, forKey: .count) ?? 0
    user = try text(.user)
    filter = try text(.filter)
    pattern = try text(.pattern)
    filterFile = try text(.file)
    source = try text(.source)
    offset = try members.decodeIfPresent(Int64.self, forKey: .offset)
    cursor = try members.decodeIfPresent(String.self, forKey: .cursor)
    weight = try members.decodeIfPresent(Int.self, forKey: .weight) ?? 0
    rule = try text(.rule)
    message = try text(.message)
    severity = try text(.severity)
    line = try text(.line)
    lastTime = try members.decodeIfPresent(Instant.self, forKey: .lastTime)
    lastLine = try members.decodeIfPresent(String.self, forKey: .lastLine)
    until = try members.decodeIfPresent(Instant.self, forKey: .until)
    banNumber = try members.decodeIfPresent(Int.self, forKey: .number) ?? 0
    cause = try text(.cause)
    isDryRun = try members.decodeIfPresent(Bool.self, forKey: .dryRun) ?? false
    uid = try members.decodeIfPresent(UInt32.self, forKey: .uid)
    command = try text(.command)
    subject = try text(.subject)
    detail = try text(.detail)
    origin = GeoFacts(
      country: try members.decodeIfPresent(String.self, forKey: .country),
      network: try members.decodeIfPresent(UInt32.self, forKey: .network),
      networkName: try members.decodeIfPresent(String.self, forKey: .networkName))
    position = try members.decodeIfPresent(String.self, forKey: .after).flatMap { AuditPosition($0) }
  }
}
