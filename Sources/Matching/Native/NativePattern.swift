internal import Filters
internal import Model

/// A native pattern, compiled: what its line must be, and what a failure is made of.
final class NativePattern: Sendable {
  let name: String
  /// What the whole of the line, or of its message, must match.
  let expression: CompiledExpression?
  let conditions: [CompiledCondition]
  /// Which slots of the line's fields are what; empty where there are none.
  let roles: FieldPlan.Roles
  let attempt: AttemptPart
  /// For `together`.
  let act: [ActKey]
  let actLength: UInt16
  let role: JoinRole?
  let event: ActivityEvent?
  /// The filter's, which tells its keys from those of others.
  let file: String
  /// Where the key of a `join` is; nil: the line has none.
  let joinKey: ActKey?
  let weight: CompiledWeight

  /// Every expression whose groups count, in the order in which they are tried.
  private static func expressions(
    _ expression: CompiledExpression?, _ conditions: [CompiledCondition]
  ) -> [CompiledExpression] {
    (expression.map { [$0] } ?? []) + conditions.flatMap(\.expressions)
  }

  /// Its expressions, as PCRE2 gets them.
  var sources: [String] { Self.expressions(expression, conditions).map(\.pattern.source) }

  init(
    _ definition: PatternDefinition, _ fields: inout FieldNames, needsHost: Bool, join: JoinDefinition? = nil
  ) throws(FilterError) {
    name = definition.name
    var expression: CompiledExpression?
    if let match = definition.match {
      expression = try CompiledExpression(match, pattern: definition.name, place: definition.place)
    }
    var conditions: [CompiledCondition] = []
    for condition in definition.conditions {
      let slots = try fields.slots(condition.field, definition.fields, condition.place)
      conditions.append(try CompiledCondition(condition, slots: slots, pattern: definition.name))
    }
    self.expression = expression
    self.conditions = conditions
    roles = try fields.slots(definition.fields)
    attempt = definition.attempt
    let expressions = Self.expressions(expression, conditions)
    role = definition.role
    event = definition.event
    file = definition.place.file
    joinKey = join.flatMap { try? Self.actKey($0.key, definition, expressions, &fields) }
    if joinKey == nil, role != nil {
      throw FilterError(
        place: definition.place, message: "pattern `\(definition.name)` has a role, but no key",
        remedy: join.map { "name a group or a field `\($0.key)`" } ?? "give the filter join: {key: …}")
    }
    if needsHost, event == nil, joinKey == nil, expressions.allSatisfy(\.hosts.isEmpty),
      !fields.areInAllFormats((roles[.host] ?? []) + (roles[.hostPort] ?? []))
    {
      throw FilterError(
        place: definition.place, message: "pattern `\(definition.name)` has no <host>",
        remedy: expressions.contains { $0.pattern.source.contains(CompiledExpression.fail2banHost) }
          ? "write <host> in small letters here; \(CompiledExpression.fail2banHost) is fail2ban's"
          : "say with <host>, or with host: under fields:, where the address stands; a failure without one cannot be banned"
      )
    }
    weight = try Self.weight(definition, expressions, &fields)
    actLength = UInt16(clamping: definition.act.within.microseconds / 1_000_000)
    var act: [ActKey] = []
    for name in definition.act.key { act.append(try Self.actKey(name, definition, expressions, &fields)) }
    self.act = act
  }

  private static func actKey(
    _ name: String, _ definition: PatternDefinition, _ expressions: [CompiledExpression], _ fields: inout FieldNames
  ) throws(FilterError) -> ActKey {
    for expression in expressions {
      guard let number = expression.pattern.group(named: name) else { continue }
      return .captured(expression, group: number)
    }
    guard let slots = try? fields.slots(name, definition.fields, definition.place), !slots.isEmpty else {
      throw FilterError(
        place: definition.place, message: "pattern `\(definition.name)`: no group and no field is named `\(name)`",
        remedy: "name a group of the pattern, as in (?<\(name)>…)")
    }
    return .field(slots)
  }

  private static func weight(
    _ definition: PatternDefinition, _ expressions: [CompiledExpression], _ fields: inout FieldNames
  ) throws(FilterError) -> CompiledWeight {
    guard case .captured(let group, let values, let otherwise) = definition.weight else {
      if case .fixed(let value) = definition.weight { return .fixed(UInt32(clamping: value)) }
      return .fixed(1)
    }
    let choices = values.map { (Array($0.key.utf8), UInt32(clamping: $0.value)) }.sorted { $0.0.count < $1.0.count }
    let fallback = UInt32(clamping: otherwise)
    for expression in expressions {
      guard let number = expression.pattern.group(named: group) else { continue }
      return .captured(expression, group: number, values: choices, otherwise: fallback)
    }
    guard let slots = try? fields.slots(group, definition.fields, definition.place) else {
      throw FilterError(
        place: definition.place, message: "pattern `\(definition.name)`: no group is named `\(group)`",
        remedy: "name a group of the pattern, as in (?<\(group)>…)")
    }
    return .field(slots, values: choices, otherwise: fallback)
  }
}

enum CompiledWeight: Sendable {
  case fixed(UInt32)
  /// By what a group of one of the pattern's expressions captured.
  case captured(CompiledExpression, group: Int, values: [([UInt8], UInt32)], otherwise: UInt32)
  /// By a field, of the first of these slots that is there.
  case field([Int], values: [([UInt8], UInt32)], otherwise: UInt32)
}

/// One text of those that make lines one act.
enum ActKey: Sendable {
  case captured(CompiledExpression, group: Int)
  /// Of the first of these slots that is there.
  case field([Int])
}
