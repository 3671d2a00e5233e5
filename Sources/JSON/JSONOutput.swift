internal import Model

/// How replies become JSON, the same bytes on the API, from `--json` and in outputs: an object a line, its members in the order
/// of the type's properties, their names in snake_case, nil as null.
///
/// ```swift
/// JSONOutput.line(of: ban)      // {"id":"192.0.2.7","jail":"sshd","until":null}
/// ```
/// Foundation's encoder sorts members or shuffles them, leaves nil out, and takes ten times as long.
public enum JSONOutput {
  /// One line without its LF.
  public static func line(of value: some Encodable) -> [UInt8] {
    var text = JSONText()
    append(value, to: &text)
    return text.bytes
  }

  public static func append<Value: Encodable>(_ value: Value, to text: inout JSONText) {
    let scope = Scope(text)
    // The containers below never throw, and what the replies encode by hand does not either.
    do { try scope.encode(value) } catch { preconditionFailure("\(Value.self) cannot be encoded: \(error)") }
    text = scope.text
  }
}

/// A member whose name is data, such as a pattern's group, and is written as it is.
public struct RawKey: CodingKey {
  public var stringValue: String
  public var intValue: Int? { nil }

  public init(_ name: String) { stringValue = name }
  public init?(stringValue: String) { self.init(stringValue) }
  public init?(intValue: Int) { nil }
}

/// Texts by names that are data, in the order of their names.
public struct RawMembers: Encodable, Sendable {
  private let texts: [String: String]

  public init(_ texts: [String: String]) { self.texts = texts }

  public func encode(to encoder: any Encoder) throws {
    var members = encoder.container(keyedBy: RawKey.self)
    for (name, text) in texts.sorted(by: { $0.key < $1.key }) { try members.encode(text, forKey: RawKey(name)) }
  }
}

/// What is being written, shared by the encoders of all nested values.
private final class Scope {
  var text: JSONText

  init(_ text: JSONText) { self.text = text }

  func encode<Value: Encodable>(_ value: Value) throws {
    // A moment is so frequent that it does not take the way through a container.
    if let instant = value as? Instant {
      text.append(instant)
      return
    }
    let encoder = ValueEncoder(self)
    try value.encode(to: encoder)
    encoder.close()
  }
}

/// Encodes one value. A container that the value opened is closed when the value has been encoded.
private final class ValueEncoder: Encoder {
  let scope: Scope
  private var closing: UInt8?
  private var isEmpty = true
  let codingPath: [any CodingKey] = []
  let userInfo: [CodingUserInfoKey: Any] = [:]

  init(_ scope: Scope) { self.scope = scope }

  func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
    open(UInt8(ascii: "{"), UInt8(ascii: "}"))
    return KeyedEncodingContainer(Members(encoder: self))
  }

  func unkeyedContainer() -> any UnkeyedEncodingContainer {
    open(UInt8(ascii: "["), UInt8(ascii: "]"))
    return Elements(encoder: self)
  }

  func singleValueContainer() -> any SingleValueEncodingContainer { Single(scope: scope) }

  /// A value that encodes another one into itself (`try ban.encode(to: encoder)`) goes on in the same object.
  private func open(_ opening: UInt8, _ closing: UInt8) {
    guard self.closing == nil else { return }
    self.closing = closing
    scope.text.append(opening)
  }

  func next() {
    if !isEmpty { scope.text.append(UInt8(ascii: ",")) }
    isEmpty = false
  }

  func next<Key: CodingKey>(_ key: Key) {
    next()
    if Key.self == RawKey.self {
      scope.text.append(key.stringValue)
      scope.text.append(UInt8(ascii: ":"))
    } else {
      scope.text.append(name: key.stringValue)
    }
  }

  func close() {
    if let closing { scope.text.append(closing) }
  }
}

private struct Members<Key: CodingKey>: KeyedEncodingContainerProtocol {
  let encoder: ValueEncoder
  var codingPath: [any CodingKey] { [] }

  func encodeNil(forKey key: Key) {
    encoder.next(key)
    encoder.scope.text.append(raw: "null")
  }

  func encode<Value: Encodable>(_ value: Value, forKey key: Key) throws {
    encoder.next(key)
    try encoder.scope.encode(value)
  }

  func encode(_ value: Bool, forKey key: Key) {
    encoder.next(key)
    encoder.scope.text.append(value)
  }

  func encode(_ value: String, forKey key: Key) {
    encoder.next(key)
    encoder.scope.text.append(value)
  }

  func encode(_ value: Double, forKey key: Key) {
    encoder.next(key)
    encoder.scope.text.append(value)
  }

  func encode(_ value: Float, forKey key: Key) { encode(Double(value), forKey: key) }
  func encode(_ value: Int, forKey key: Key) { number(value, key) }
  func encode(_ value: Int8, forKey key: Key) { number(value, key) }
  func encode(_ value: Int16, forKey key: Key) { number(value, key) }
  func encode(_ value: Int32, forKey key: Key) { number(value, key) }
  func encode(_ value: Int64, forKey key: Key) { number(value, key) }
  func encode(_ value: UInt, forKey key: Key) { number(value, key) }
  func encode(_ value: UInt8, forKey key: Key) { number(value, key) }
  func encode(_ value: UInt16, forKey key: Key) { number(value, key) }
  func encode(_ value: UInt32, forKey key: Key) { number(value, key) }
  func encode(_ value: UInt64, forKey key: Key) { number(value, key) }

  private func number(_ value: some BinaryInteger, _ key: Key) {
    encoder.next(key)
    encoder.scope.text.append(value)
  }

  // The library's own leave nil out.
  func encodeIfPresent<Value: Encodable>(_ value: Value?, forKey key: Key) throws {
    if let value { try encode(value, forKey: key) } else { encodeNil(forKey: key) }
  }

  func encodeIfPresent(_ value: Bool?, forKey key: Key) {
    if let value { encode(value, forKey: key) } else { encodeNil(forKey: key) }
  }
  func encodeIfPresent(_ value: String?, forKey key: Key) {
    if let value { encode(value, forKey: key) } else { encodeNil(forKey: key) }
  }
  func encodeIfPresent(_ value: Double?, forKey key: Key) {
    if let value { encode(value, forKey: key) } else { encodeNil(forKey: key) }
  }
  func encodeIfPresent(_ value: Int?, forKey key: Key) {
    if let value { encode(value, forKey: key) } else { encodeNil(forKey: key) }
  }
  func encodeIfPresent(_ value: Int32?, forKey key: Key) {
    if let value { encode(value, forKey: key) } else { encodeNil(forKey: key) }
  }
  func encodeIfPresent(_ value: Int64?, forKey key: Key) {
    if let value { encode(value, forKey: key) } else { encodeNil(forKey: key) }
  }
  func encodeIfPresent(_ value: UInt16?, forKey key: Key) {
    if let value { encode(value, forKey: key) } else { encodeNil(forKey: key) }
  }
  func encodeIfPresent(_ value: UInt32?, forKey key: Key) {
    if let value { encode(value, forKey: key) } else { encodeNil(forKey: key) }
  }
  func encodeIfPresent(_ value: UInt64?, forKey key: Key) {
    if let value { encode(value, forKey: key) } else { encodeNil(forKey: key) }
  }

  func nestedContainer<Nested>(keyedBy type: Nested.Type, forKey key: Key) -> KeyedEncodingContainer<Nested> {
    unused()
  }
  func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer { unused() }
  func superEncoder() -> any Encoder { unused() }
  func superEncoder(forKey key: Key) -> any Encoder { unused() }
}

private struct Elements: UnkeyedEncodingContainer {
  let encoder: ValueEncoder
  var codingPath: [any CodingKey] { [] }
  var count = 0

  init(encoder: ValueEncoder) { self.encoder = encoder }

  func encodeNil() {
    encoder.next()
    encoder.scope.text.append(raw: "null")
  }

  func encode<Value: Encodable>(_ value: Value) throws {
    encoder.next()
    try encoder.scope.encode(value)
  }

  func nestedContainer<Nested>(keyedBy type: Nested.Type) -> KeyedEncodingContainer<Nested> { unused() }
  func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer { unused() }
  func superEncoder() -> any Encoder { unused() }
}

private struct Single: SingleValueEncodingContainer {
  let scope: Scope
  var codingPath: [any CodingKey] { [] }

  func encodeNil() { scope.text.append(raw: "null") }
  func encode<Value: Encodable>(_ value: Value) throws { try scope.encode(value) }
  func encode(_ value: Bool) { scope.text.append(value) }
  func encode(_ value: String) { scope.text.append(value) }
  func encode(_ value: Double) { scope.text.append(value) }
  func encode(_ value: Float) { scope.text.append(Double(value)) }
  func encode(_ value: Int) { scope.text.append(value) }
  func encode(_ value: Int8) { scope.text.append(value) }
  func encode(_ value: Int16) { scope.text.append(value) }
  func encode(_ value: Int32) { scope.text.append(value) }
  func encode(_ value: Int64) { scope.text.append(value) }
  func encode(_ value: UInt) { scope.text.append(value) }
  func encode(_ value: UInt8) { scope.text.append(value) }
  func encode(_ value: UInt16) { scope.text.append(value) }
  func encode(_ value: UInt32) { scope.text.append(value) }
  func encode(_ value: UInt64) { scope.text.append(value) }
}

private func unused() -> Never { preconditionFailure("replies have no use for this part of Encoder") }
