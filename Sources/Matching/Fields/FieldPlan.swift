internal import Filters

/// Which fields a filter asks of each line, and how its format is read.
struct FieldPlan: Sendable {
  enum Reader: Sendable {
    case combined(CombinedReader)
    case json(JSONKeys)
  }

  /// The field of each slot.
  let names: [String]
  let reader: Reader

  /// For each role the slots that may have it, in their order.
  typealias Roles = [FieldRole: [Int]]

  /// Nil for lines of text. Throws where the format cannot have the fields that are asked for.
  init?(_ format: LogFormat, _ fields: FieldNames) throws(FilterError) {
    switch format {
    case .text: return nil
    case .combined: reader = .combined(CombinedReader(fields.names))
    case .json:
      guard let keys = JSONKeys(fields.names) else {
        throw FilterError(
          place: fields.place, message: "more than \(JSONKeys.mostKeys) fields of one object are asked for",
          remedy: "make two filters of it")
      }
      reader = .json(keys)
    case .logfmt, .separated, .w3c, .server, .split:
      throw FilterError(place: fields.place, message: "format \(format.name) cannot be read yet", remedy: "use text")
    }
    names = fields.names
  }

  /// Puts the line's fields into `table`.
  func read(_ line: borrowing Span<UInt8>, into table: inout FieldTable) throws(Unread) {
    table.clear(slots: names.count)
    switch reader {
    case .combined(let reader): try reader.read(line, into: &table)
    case .json(let keys): try JSONReader.read(line, keys, into: &table)
    }
  }
}

/// Collects the fields that a filter's patterns name, and gives each a slot.
struct FieldNames {
  private(set) var names: [String] = []
  private let roles: FieldRoles
  /// Where the filter names its fields.
  var place: Place { roles.place }
  /// The fields that the format has; nil where a line may have any.
  private let known: [String]?

  init(_ rules: NativeRules) {
    known = rules.format.knownFields
    var roles = rules.fields
    for (role, names) in rules.format.conventionalRoles where roles.names[role] == nil { roles.names[role] = names }
    self.roles = roles
  }

  /// The slots of a role or of a field. Throws when the format has none of that name.
  mutating func slots(_ name: String, _ own: FieldRoles, _ place: Place) throws(FilterError) -> [Int] {
    let role = FieldRole(rawValue: name)
    let fields = role.flatMap { own.names[$0] ?? roles.names[$0] } ?? [name]
    var slots: [Int] = []
    for field in fields { slots.append(try slot(field, place)) }
    return slots
  }

  /// The slots of every role that is named, with a pattern's own in front of the filter's.
  mutating func slots(_ own: FieldRoles) throws(FilterError) -> FieldPlan.Roles {
    var slots: FieldPlan.Roles = [:]
    for role in FieldRole.allCases where own.names[role] != nil || roles.names[role] != nil {
      slots[role] = try self.slots(role.rawValue, own, own.names[role] == nil ? roles.place : own.place)
    }
    return slots
  }

  private mutating func slot(_ field: String, _ place: Place) throws(FilterError) -> Int {
    if let slot = names.firstIndex(of: field) { return slot }
    if let known, !known.contains(field) {
      throw FilterError(
        place: place, message: "the format has no field `\(field)`", remedy: "it has: \(known.joined(separator: ", "))")
    }
    names.append(field)
    return names.count - 1
  }
}

extension LogFormat {
  /// The fields that a line of this format can have; nil: any.
  var knownFields: [String]? {
    switch self {
    case .combined: CombinedReader.fieldNames
    case .text: []
    case .json, .logfmt, .separated, .w3c, .server, .split: nil
    }
  }

  /// What a field is by convention, where the filter does not say.
  var conventionalRoles: [FieldRole: [String]] {
    switch self {
    case .text: [:]
    case .combined:
      [
        .time: ["time"], .host: ["host"], .user: ["user"], .method: ["method"], .path: ["path"], .status: ["status"],
        .agent: ["agent"], .referer: ["referer"],
      ]
    case .json, .logfmt, .separated, .w3c, .server, .split: [.time: Self.timeFields]
    }
  }

  private static let timeFields = [
    "time", "ts", "timestamp", "@timestamp", "unix_timestamp", "time_iso8601", "time_local",
  ]
}
