internal import FoundationEssentials

/// How JSON that somebody sent becomes a value: members in snake_case, unknown ones ignored.
public enum JSONInput {
  public struct Malformed: Error, Hashable, Sendable, CustomStringConvertible {
    /// What is wrong and where, without the content: `id is not a text`.
    public var description: String
  }

  public static func decode<Value: Decodable>(_ type: Value.Type, from bytes: some Sequence<UInt8>) throws(Malformed)
    -> Value
  {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    do {
      return try decoder.decode(type, from: Data(bytes))
    } catch let error as DecodingError {
      throw Malformed(description: describe(error))
    } catch {
      throw Malformed(description: "it does not parse")
    }
  }

  private static func describe(_ error: DecodingError) -> String {
    func path(_ keys: [any CodingKey]) -> String {
      keys.isEmpty
        ? "the top level" : keys.map { $0.intValue.map(String.init) ?? $0.stringValue }.joined(separator: ".")
    }
    return switch error {
    case .keyNotFound(let key, _): "\(key.stringValue) is missing"
    case .typeMismatch(let type, let context): "\(path(context.codingPath)) is not \(noun(type))"
    case .valueNotFound(let type, let context): "\(path(context.codingPath)) is null, not \(noun(type))"
    case .dataCorrupted(let context):
      context.codingPath.isEmpty
        ? "it does not parse, or a number in it does not fit"
        : "\(path(context.codingPath)): \(context.debugDescription)"
    @unknown default: "it does not parse"
    }
  }

  private static func noun(_ type: any Any.Type) -> String {
    switch type {
    case is String.Type: "a text"
    case is Bool.Type: "true or false"
    case is any FixedWidthInteger.Type: "a whole number"
    case is any BinaryFloatingPoint.Type: "a number"
    default: "what is expected there"
    }
  }
}
