internal import CCrypto

/// Passwords, stretched by scrypt (RFC 7914): written `scrypt:15:8:1:SALT:KEY`, salt and key in base64url.
///
/// ```swift
/// let stored = Scrypt.hash("correct horse")
/// Scrypt.matches("correct horse", stored)   // true, after some 50 ms and 32 MiB
/// ```
public enum Scrypt {
  /// 2^15 blocks of 8: 32 MiB, as OWASP's cheat sheet on password storage has it.
  private static let cost = 15
  private static let block = 8
  private static let parallel = 1
  private static let memory: UInt64 = 64 << 20

  public static func hash(_ password: String) -> String {
    let salt = Digest.random(16)
    guard let key = derive(password, salt, cost: cost, block: block, parallel: parallel) else {
      preconditionFailure("libcrypto refuses scrypt's own parameters")
    }
    return "scrypt:\(cost):\(block):\(parallel):\(Base64URL.text(salt)):\(Base64URL.text(key))"
  }

  /// False for what was not written by `hash`, too.
  public static func matches(_ password: String, _ stored: String) -> Bool {
    let parts = stored.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 6, parts[0] == "scrypt", let cost = Int(parts[1]), (1...20).contains(cost),
      let block = Int(parts[2]), (1...32).contains(block), let parallel = Int(parts[3]), (1...16).contains(parallel),
      let salt = Base64URL.bytes(parts[4]), let key = Base64URL.bytes(parts[5]), key.count == 32,
      let derived = derive(password, salt, cost: cost, block: block, parallel: parallel)
    else { return false }
    return Digest.isEqual(derived, key)
  }

  static func derive(
    _ password: String, _ salt: [UInt8], cost: Int, block: Int, parallel: Int, length: Int = 32
  ) -> [UInt8]? {
    var key = [UInt8](repeating: 0, count: length)
    let text = Array(password.utf8).map { CChar(bitPattern: $0) }
    // Safe: at most the array's size is written, and all pointers live for the call only.
    let done = unsafe EVP_PBE_scrypt(
      text, text.count, salt, salt.count, 1 << UInt64(cost), UInt64(block), UInt64(parallel), memory, &key, length)
    return done == 1 ? key : nil
  }
}
