import Model

/// Finds the schema of a type by having it decode itself, and noting what it asks for. So the description of the API cannot differ
/// from what it takes and answers.
enum SchemaRecorder {
  /// - Throws: `DecodingError` for a type that wants more than an empty value of each member; then the schema has what it asked for before.
  static func schema<Value: Decodable>(of type: Value.Type) throws -> JSONSchema { try record(type).schema }

  /// The schema, and some value of the type.
  fileprivate static func record<Value: Decodable>(_ type: Value.Type) throws -> (schema: JSONSchema, value: Value) {
    if let known = known(type) { return known }
    let recording = Recording()
    let value = try Value(from: RecordingDecoder(recording: recording))
    return (recording.schema, value)
  }

  /// Texts that stand for something else.
  private static func known<Value: Decodable>(_ type: Value.Type) -> (schema: JSONSchema, value: Value)? {
    if let time = Instant(microseconds: 0) as? Value { return (.time, time) }
    if let words = type as? any (CaseIterable & RawRepresentable<String>).Type, let found = words.first as? Value {
      return (.words(words.words), found)
    }
    return nil
  }
}

extension CaseIterable where Self: RawRepresentable<String> {
  fileprivate static var words: [String] { allCases.map(\.rawValue) }
  fileprivate static var first: Self? { allCases.first { _ in true } }
}

/// What a value has asked for.
private final class Recording {
  private var members: [(name: String, schema: JSONSchema, isRequired: Bool)] = []
  private var single: JSONSchema?

  func add(_ key: any CodingKey, _ schema: JSONSchema, isRequired: Bool) {
    let name = Self.snakeCase(key.stringValue)
    guard !members.contains(where: { $0.name == name }) else { return }
    members.append((name, schema, isRequired))
  }

  func set(_ schema: JSONSchema) { single = schema }

  var schema: JSONSchema { single ?? .object(members) }

  /// As `JSONOutput` writes names.
  private static func snakeCase(_ name: String) -> String {
    var result = ""
    for character in name {
      if character.isUppercase { result += "_" }
      result += character.lowercased()
    }
    return result
  }
}

private struct RecordingDecoder: Decoder {
  let recording: Recording
  var codingPath: [any CodingKey] { [] }
  var userInfo: [CodingUserInfoKey: Any] { [:] }

  func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedDecodingContainer<Key> {
    KeyedDecodingContainer(Members<Key>(recording: recording))
  }

  func unkeyedContainer() -> any UnkeyedDecodingContainer { Items(recording: recording) }

  func singleValueContainer() -> any SingleValueDecodingContainer { Single(recording: recording) }
}

private struct Members<Key: CodingKey>: KeyedDecodingContainerProtocol {
  let recording: Recording
  var codingPath: [any CodingKey] { [] }
  /// A dictionary's names are data, and it has none here.
  var allKeys: [Key] { [] }

  func contains(_ key: Key) -> Bool { true }
  func decodeNil(forKey key: Key) -> Bool { false }

  func decode<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value {
    // The kinds of rows are told apart by a text.
    if let kind = "failure" as? Value, key.stringValue == "kind" {
      recording.add(key, .text, isRequired: true)
      return kind
    }
    let (schema, value) = try SchemaRecorder.record(type)
    recording.add(key, schema, isRequired: true)
    return value
  }

  func decodeIfPresent<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value? {
    recording.add(key, try SchemaRecorder.schema(of: type).orNull, isRequired: false)
    return nil
  }

  func decodeIfPresent(_ type: Bool.Type, forKey key: Key) throws -> Bool? { optional(.bool, key) }
  func decodeIfPresent(_ type: String.Type, forKey key: Key) throws -> String? { optional(.text, key) }
  func decodeIfPresent(_ type: Double.Type, forKey key: Key) throws -> Double? { optional(.number, key) }
  func decodeIfPresent(_ type: Int.Type, forKey key: Key) throws -> Int? { optional(.integer, key) }
  func decodeIfPresent(_ type: Int64.Type, forKey key: Key) throws -> Int64? { optional(.integer, key) }
  func decodeIfPresent(_ type: UInt32.Type, forKey key: Key) throws -> UInt32? { optional(.integer, key) }
  func decodeIfPresent(_ type: UInt64.Type, forKey key: Key) throws -> UInt64? { optional(.integer, key) }

  private func optional<Value>(_ schema: JSONSchema, _ key: Key) -> Value? {
    recording.add(key, schema.orNull, isRequired: false)
    return nil
  }

  func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type, forKey key: Key) -> KeyedDecodingContainer<Nested>
  {
    KeyedDecodingContainer(Members<Nested>(recording: Recording()))
  }
  func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedDecodingContainer { Items(recording: Recording()) }
  func superDecoder() -> any Decoder { RecordingDecoder(recording: Recording()) }
  func superDecoder(forKey key: Key) -> any Decoder { superDecoder() }
}

/// A list: its first item is asked for, and there is no second.
private struct Items: UnkeyedDecodingContainer {
  let recording: Recording
  var codingPath: [any CodingKey] { [] }
  var count: Int? { 1 }
  var currentIndex = 0
  var isAtEnd: Bool { currentIndex > 0 }

  init(recording: Recording) { self.recording = recording }

  mutating func decodeNil() -> Bool { false }

  mutating func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
    let (schema, value) = try SchemaRecorder.record(type)
    recording.set(.list(of: schema))
    currentIndex += 1
    return value
  }

  mutating func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type) -> KeyedDecodingContainer<Nested> {
    KeyedDecodingContainer(Members<Nested>(recording: Recording()))
  }
  mutating func nestedUnkeyedContainer() -> any UnkeyedDecodingContainer { Items(recording: Recording()) }
  mutating func superDecoder() -> any Decoder { RecordingDecoder(recording: Recording()) }
}

private struct Single: SingleValueDecodingContainer {
  let recording: Recording
  var codingPath: [any CodingKey] { [] }

  func decodeNil() -> Bool { false }

  func decode(_ type: Bool.Type) throws -> Bool { note(.bool, false) }
  func decode(_ type: String.Type) throws -> String { note(.text, "") }
  func decode(_ type: Double.Type) throws -> Double { note(.number, 0) }
  func decode(_ type: Float.Type) throws -> Float { note(.number, 0) }
  func decode(_ type: Int.Type) throws -> Int { note(.integer, 0) }
  func decode(_ type: Int8.Type) throws -> Int8 { note(.integer, 0) }
  func decode(_ type: Int16.Type) throws -> Int16 { note(.integer, 0) }
  func decode(_ type: Int32.Type) throws -> Int32 { note(.integer, 0) }
  func decode(_ type: Int64.Type) throws -> Int64 { note(.integer, 0) }
  func decode(_ type: UInt.Type) throws -> UInt { note(.integer, 0) }
  func decode(_ type: UInt8.Type) throws -> UInt8 { note(.integer, 0) }
  func decode(_ type: UInt16.Type) throws -> UInt16 { note(.integer, 0) }
  func decode(_ type: UInt32.Type) throws -> UInt32 { note(.integer, 0) }
  func decode(_ type: UInt64.Type) throws -> UInt64 { note(.integer, 0) }

  func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
    let (schema, value) = try SchemaRecorder.record(type)
    recording.set(schema)
    return value
  }

  private func note<Value>(_ schema: JSONSchema, _ value: Value) -> Value {
    recording.set(schema)
    return value
  }
}
