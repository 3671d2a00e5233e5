public import Model

/// A moment as the API writes it: RFC 3339 in UTC, `2026-11-21T05:24:01.25Z`.
public struct Timestamp: Hashable, Sendable {
  public var instant: Instant

  public init(_ instant: Instant) { self.instant = instant }
}

extension Timestamp: Codable {
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let text = try container.decode(String.self)
    guard let instant = Instant(rfc3339: text) else {
      throw DecodingError.dataCorruptedError(
        in: container, debugDescription: "expected a time such as 2026-11-21T05:24:01Z")
    }
    self.init(instant)
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(instant.rfc3339())
  }
}
