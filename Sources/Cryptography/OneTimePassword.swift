/// Time-based one-time passwords of six digits (RFC 6238), as authenticator programs show them.
public struct OneTimePassword: Sendable {
  /// 20 bytes, as RFC 4226 recommends.
  public var secret: [UInt8]

  public init(secret: [UInt8] = Digest.random(20)) { self.secret = secret }

  /// From base32 (RFC 4648, section 6), as people type it.
  public init?(base32 text: String) {
    var out: [UInt8] = []
    var buffer = 0
    var bits = 0
    for letter in text.uppercased().utf8 where letter != UInt8(ascii: " ") && letter != UInt8(ascii: "=") {
      guard let value = Self.letters.firstIndex(of: letter) else { return nil }
      buffer = buffer << 5 | value
      bits += 5
      if bits >= 8 {
        bits -= 8
        out.append(UInt8(buffer >> bits))
        buffer &= 1 << bits - 1
      }
    }
    guard out.count >= 10 else { return nil }
    secret = out
  }

  private static let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".utf8)
  /// Seconds that a password holds.
  static let step: Int64 = 30

  public var base32: String {
    var out: [UInt8] = []
    var buffer = 0
    var bits = 0
    for byte in secret {
      buffer = buffer << 8 | Int(byte)
      bits += 8
      while bits >= 5 {
        bits -= 5
        out.append(Self.letters[buffer >> bits & 31])
      }
      buffer &= 1 << bits - 1
    }
    if bits > 0 { out.append(Self.letters[buffer << (5 - bits) & 31]) }
    return String(decoding: out, as: UTF8.self)
  }

  /// The password of a step; `counter` is the time by `step`.
  func code(_ counter: Int64) -> String {
    let message = (0..<8).map { UInt8(truncatingIfNeeded: counter >> (56 - 8 * $0)) }
    let hash = Digest.hmac(.sha1, key: secret, message)
    let offset = Int(hash[19] & 15)
    let number = hash[offset..<offset + 4].reduce(0) { $0 << 8 | Int($1) } & 0x7FFF_FFFF
    let digits = String(number % 1_000_000)
    return String(repeating: "0", count: 6 - digits.utf8.count) + digits
  }

  /// The step that `code` is the password of, the one before or the one after; nil: it is none, or not newer than `used`.
  /// A step is accepted once: keep what this returns as the next `used`.
  public func step(of code: String, at seconds: Int64, used: Int64? = nil) -> Int64? {
    let digits = Array(code.utf8.filter { $0 != UInt8(ascii: " ") })
    let now = seconds / Self.step
    return [now, now - 1, now + 1].first { counter in
      counter > used ?? .min && Digest.isEqual(Array(self.code(counter).utf8), digits)
    }
  }
}
