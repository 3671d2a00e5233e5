/// The tables of keys as JSON Schema (draft 2020-12), for editors and for check-jsonschema.
public enum JSONSchema {
  /// Of bailiff.yaml and what it includes.
  public static var settings: String { document("Settings of Bailiff", Keys.all) }

  /// Of a jail's file, `jails.d/NAME.yaml`.
  public static var jail: String { document("A jail of Bailiff", Keys.jail) }

  /// Of a native filter.
  public static var filter: String { document("A filter of Bailiff", Keys.filter) }

  private static func document(_ title: String, _ keys: [Key]) -> String {
    "{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\",\"title\":\(quote(title)),\(object(keys))}"
  }

  /// A key without a value says nothing, and any key may be so.
  private static func object(_ keys: [Key]) -> String {
    let properties = keys.map { key in
      "\(quote(key.name)):{\"description\":\(quote(key.about)),\"anyOf\":[{\"type\":\"null\"},{\(schema(key.kind))}]}"
    }
    return "\"type\":\"object\",\"additionalProperties\":false,\"properties\":{\(properties.joined(separator: ","))}"
  }

  /// The members of the kind's schema, without the braces.
  private static func schema(_ kind: Key.Kind) -> String {
    switch kind {
    // YAML 1.2 takes `yes` and `off` for text; the reader takes them for what is meant.
    case .bool: #""enum":[true,false,"true","false","yes","no","on","off"]"#
    case .integer(let range):
      #""type":"integer","minimum":\#(range.lowerBound),"maximum":\#(range.upperBound)"#
    case .number: #""type":"number","exclusiveMinimum":0"#
    case .time: #""type":["string","number"],"pattern":"[0-9]""#
    case .age: #""type":"string","pattern":"[0-9] *[a-z]""#
    case .size: #""type":["string","integer"],"pattern":"^[0-9]""#
    case .text: #""type":["string","number","boolean"]"#
    case .word(let words): "\"enum\":[\(words.map(quote).joined(separator: ","))]"
    case .list(let item): either([schema(item), "\"type\":\"array\",\"items\":{\(schema(item))}"])
    case .map(let keys): object(keys)
    case .named(let value): "\"type\":\"object\",\"additionalProperties\":{\(schema(value))}"
    case .either(let kinds): either(kinds.map(schema))
    }
  }

  private static func either(_ schemas: [String]) -> String {
    "\"anyOf\":[\(schemas.map { "{\($0)}" }.joined(separator: ","))]"
  }

  /// What the tables hold has no control characters.
  private static func quote(_ text: String) -> String {
    "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
  }
}
