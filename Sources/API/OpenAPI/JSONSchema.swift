import JSON

/// A piece of JSON whose members keep their order and their names.
indirect enum JSONValue: Sendable {
  case object([(String, JSONValue)])
  case list([JSONValue])
  case text(String)
  case number(Int)
  case bool(Bool)

  func write(to bytes: inout [UInt8]) {
    switch self {
    case .object(let members):
      bytes.append(UInt8(ascii: "{"))
      for (index, member) in members.enumerated() {
        if index > 0 { bytes.append(UInt8(ascii: ",")) }
        bytes += JSONOutput.line(of: member.0)
        bytes.append(UInt8(ascii: ":"))
        member.1.write(to: &bytes)
      }
      bytes.append(UInt8(ascii: "}"))
    case .list(let items):
      bytes.append(UInt8(ascii: "["))
      for (index, item) in items.enumerated() {
        if index > 0 { bytes.append(UInt8(ascii: ",")) }
        item.write(to: &bytes)
      }
      bytes.append(UInt8(ascii: "]"))
    case .text(let text): bytes += JSONOutput.line(of: text)
    case .number(let number): bytes += Array("\(number)".utf8)
    case .bool(let value): bytes += Array("\(value)".utf8)
    }
  }
}

/// What values of a type look like in JSON (JSON Schema 2020-12, as OpenAPI 3.1 uses it), as far as decoding tells.
struct JSONSchema: Sendable {
  var value: JSONValue
  /// Of an object: what it holds.
  private(set) var members: [(name: String, schema: JSONSchema, isRequired: Bool)] = []

  init(_ value: JSONValue) { self.value = value }

  static let text = JSONSchema(.object([("type", .text("string"))]))
  static let time = JSONSchema(.object([("type", .text("string")), ("format", .text("date-time"))]))
  static let integer = JSONSchema(.object([("type", .text("integer"))]))
  static let number = JSONSchema(.object([("type", .text("number"))]))
  static let bool = JSONSchema(.object([("type", .text("boolean"))]))

  static func words(_ words: [String]) -> JSONSchema {
    JSONSchema(.object([("type", .text("string")), ("enum", .list(words.map { .text($0) }))]))
  }

  static func list(of item: JSONSchema) -> JSONSchema {
    JSONSchema(.object([("type", .text("array")), ("items", item.value)]))
  }

  /// - Parameter isOpen: its names are data.
  static func object(_ members: [(name: String, schema: JSONSchema, isRequired: Bool)]) -> JSONSchema {
    var parts: [(String, JSONValue)] = [("type", .text("object"))]
    if !members.isEmpty { parts.append(("properties", .object(members.map { ($0.name, $0.schema.value) }))) }
    let required = members.filter(\.isRequired).map { JSONValue.text($0.name) }
    if !required.isEmpty { parts.append(("required", .list(required))) }
    var schema = JSONSchema(.object(parts))
    schema.members = members
    return schema
  }

  var orNull: JSONSchema { JSONSchema(.object([("anyOf", .list([value, .object([("type", .text("null"))])]))])) }
}
