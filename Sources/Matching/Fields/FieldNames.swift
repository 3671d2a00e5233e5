internal import Filters

/// A field that a filter asks for in one of its formats.
struct FieldSlot: Sendable, Equatable {
  /// Which of the filter's formats.
  var format: Int
  var name: String
}

/// Collects the fields that a filter's patterns name, and gives each a slot for every format that may have it.
struct FieldNames {
  private(set) var slots: [FieldSlot] = []
  private let formats: [FieldFormat]

  init(_ formats: [FieldFormat]) {
    self.formats = formats.map { format in
      var format = format
      for (role, names) in format.format.conventionalRoles where format.fields.names[role] == nil {
        format.fields.names[role] = names
      }
      return format
    }
  }

  /// The slots of a role or of a field, in the formats' order. Throws when no format has one of that name.
  mutating func slots(_ name: String, _ own: FieldRoles, _ place: Place) throws(FilterError) -> [Int] {
    let role = FieldRole(rawValue: name)
    var found: [Int] = []
    var missing: FilterError?
    for (index, format) in formats.enumerated() {
      let fields = role.flatMap { own.names[$0] ?? format.fields.names[$0] } ?? [name]
      for field in fields {
        guard let known = format.format.knownFields, !known.contains(field) else {
          found.append(slot(FieldSlot(format: index, name: field)))
          continue
        }
        missing = FilterError(
          place: place, message: "the format has no field `\(field)`",
          remedy: "\(format.format.name) has: \(known.joined(separator: ", "))")
      }
    }
    if found.isEmpty, let missing { throw missing }
    return found
  }

  /// The slots of every role that is named, with a pattern's own in front of the filter's.
  mutating func slots(_ own: FieldRoles) throws(FilterError) -> FieldPlan.Roles {
    var slots: FieldPlan.Roles = [:]
    for role in FieldRole.allCases {
      let named = formats.first { $0.fields.names[role] != nil }
      guard own.names[role] != nil || named != nil else { continue }
      let place = own.names[role] == nil ? named?.fields.place ?? own.place : own.place
      let found = try self.slots(role.rawValue, own, place)
      // A format that says nothing of the role may have a field of that name, which is not what was meant.
      slots[role] = found.filter { own.names[role] != nil || formats[self.slots[$0].format].fields.names[role] != nil }
    }
    return slots
  }

  /// Has every format one of these slots?
  func areInAllFormats(_ found: [Int]) -> Bool {
    formats.indices.allSatisfy { format in found.contains { slots[$0].format == format } }
  }

  private mutating func slot(_ slot: FieldSlot) -> Int {
    if let known = slots.firstIndex(of: slot) { return known }
    slots.append(slot)
    return slots.count - 1
  }
}

extension LogFormat {
  /// The fields that a line of this format can have; nil: any.
  var knownFields: [String]? {
    switch self {
    case .combined: CombinedReader.fieldNames
    case .text: []
    case .haproxy: SplitReader.haproxyFields
    case .server(let format): (try? ServerFormatParser(format))?.fieldNames
    case .separated(_, let columns): columns.isEmpty ? nil : columns
    case .json, .logfmt, .w3c, .split: nil
    }
  }

  /// What a field is by convention, where the filter does not say.
  var conventionalRoles: [FieldRole: [String]] {
    switch self {
    case .text: [:]
    case .combined: Self.webFields
    case .haproxy:
      Self.webFields.filter { $0.key != .user }.merging([.port: ["port"], .app: ["backend"]]) { _, new in new }
    case .server:
      Self.webFields.compactMapValues { names in
        let known = names.filter { knownFields?.contains($0) == true }
        return known.isEmpty ? nil : known
      }
    case .w3c: [.time: [ColumnReader.dateAndTime, "ts"]]
    case .json, .logfmt, .split: [.time: Self.timeFields]
    case .separated(_, let columns):
      if columns.isEmpty {
        [.time: Self.timeFields]
      } else {
        columns.contains(where: Self.timeFields.contains) ? [.time: Self.timeFields.filter(columns.contains)] : [:]
      }
    }
  }

  private static let webFields: [FieldRole: [String]] = [
    .time: ["time"], .host: ["host"], .user: ["user"], .method: ["method"], .path: ["path"], .status: ["status"],
    .app: ["vhost"],
  ]

  private static let timeFields = [
    "time", "ts", "timestamp", "@timestamp", "unix_timestamp", "time_iso8601", "time_local",
  ]
}
