import FoundationEssentials
import NIOCore

extension ControlJSON {
  static func encoder() -> JSONEncoder {
    let encoder = JSONEncoder()
    encoder.keyEncodingStrategy = .convertToSnakeCase
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return encoder
  }

  static func encode(_ value: some Encodable) throws -> ByteBuffer { try ByteBuffer(bytes: encoder().encode(value)) }
}
