internal import CCrypto

/// SHA-256 and HMAC, in one go (https://docs.openssl.org/3.0/man3/EVP_DigestInit/, EVP_MAC).
public enum Digest {
  public static func sha256(_ bytes: [UInt8]) -> [UInt8] {
    var length = 0
    // Safe: at most 64 bytes (EVP_MAX_MD_SIZE) are written, and all pointers live for the call only.
    var digest = [UInt8](repeating: 0, count: 64)
    let done = unsafe EVP_Q_digest(nil, "SHA256", nil, bytes, bytes.count, &digest, &length)
    precondition(done == 1, "libcrypto has no SHA-256")
    return Array(digest[..<length])
  }

  public enum Hash: String, Sendable {
    case sha1 = "SHA1"
    case sha256 = "SHA256"
  }

  /// RFC 2104.
  public static func hmac(_ hash: Hash, key: [UInt8], _ message: [UInt8]) -> [UInt8] {
    var length = 0
    var code = [UInt8](repeating: 0, count: 64)
    // Safe: at most the array's size is written, and all pointers live for the call only.
    let done = unsafe EVP_Q_mac(
      nil, "HMAC", nil, hash.rawValue, nil, key, key.count, message, message.count, &code, code.count, &length)
    unsafe precondition(done != nil, "libcrypto has no HMAC with \(hash.rawValue)")
    return Array(code[..<length])
  }

  /// Are they equal? Takes the same time wherever they differ.
  public static func isEqual(_ a: [UInt8], _ b: [UInt8]) -> Bool {
    guard a.count == b.count else { return false }
    return zip(a, b).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
  }

  /// From the kernel (getrandom(2), which the generator uses).
  public static func random(_ count: Int) -> [UInt8] {
    var generator = SystemRandomNumberGenerator()
    return (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
  }
}
