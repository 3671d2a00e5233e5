import Foundation
import Testing

@testable import Settings

/// The JSON schemas are made of the reader's tables; `make packages-test` holds every fixture against them with
/// check-jsonschema.
struct SchemaTests {
  @Test(arguments: [JSONSchema.settings, JSONSchema.jail, JSONSchema.filter]) func isJSON(schema: String) throws {
    let root = try #require(try JSONSerialization.jsonObject(with: Data(schema.utf8)) as? [String: Any])
    #expect(root["additionalProperties"] as? Bool == false)
  }

  /// Right and wrong values of a kind, as they are typed.
  static func examples(_ kind: Key.Kind) -> (right: [String], wrong: [String])? {
    switch kind {
    case .bool: (["true", "no"], ["3", "[true]"])
    case .integer(let range):
      (["\(range.lowerBound)", "\(range.upperBound)"], ["\(range.lowerBound - 1)", "many", "1.5"])
    case .number: (["2", "1.5"], ["0", "-1", "many"])
    case .time: (["10m", "3600"], ["soon", "{a: 1}"])
    case .age: (["90d", "1y 6mo"], ["90", "soon"])
    case .word(let words): (words, ["no-such-word"])
    default: nil
    }
  }

  static func errors(_ line: String) -> [String] {
    Settings.read(text: line, file: "bailiff.yaml").errors.map(\.description)
  }

  /// What the tables say of a key is what the reader does with it.
  @Test func theReaderTakesWhatTheTablesSay() {
    let jail = "jails: {a: {source: bans, "
    let maps: [(keys: [Key], open: String, close: String)] = [
      (Keys.all, "", "\njails: {a: {source: bans}}"), (Keys.retention, "retention: {", "}\njails: {a: {source: bans}}"),
      (Keys.firewall, "firewall: {", "}\njails: {a: {source: bans}}"), (Keys.limits, jail, "}}"),
      (Keys.increment, jail + "bantime_increment: {", "}}}"), (Keys.prefix, jail + "prefix: {", "}}}"),
    ]
    var tried = 0
    for (keys, open, close) in maps {
      for key in keys {
        guard let (right, wrong) = Self.examples(key.kind) else { continue }
        for value in right {
          #expect(Self.errors("\(open)\(key.name): \(value)\(close)") == [], "\(key.name): \(value)")
        }
        for value in wrong {
          #expect(Self.errors("\(open)\(key.name): \(value)\(close)").count == 1, "\(key.name): \(value)")
          tried += 1
        }
      }
    }
    #expect(tried > 30)
  }
}
