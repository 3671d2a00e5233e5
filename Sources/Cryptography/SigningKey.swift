internal import CCrypto

/// Signatures with Ed25519 (RFC 8032): https://docs.openssl.org/3.0/man7/EVP_SIGNATURE-ED25519/.
///
/// ```swift
/// let key = SigningKey()
/// VerifyingKey(key.publicKey)!.verifies(key.sign(message), of: message)   // true
/// ```
public struct SigningKey: Sendable {
  /// 32 bytes, which are the private key.
  public let seed: [UInt8]
  /// 32 bytes.
  public let publicKey: [UInt8]

  public init() { self.init(seed: Digest.random(32))! }

  /// Nil unless there are 32 bytes.
  public init?(seed: [UInt8]) {
    // Safe: the array is read during the call; the key is freed below.
    guard seed.count == 32, let key = unsafe EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nil, seed, seed.count)
    else {
      return nil
    }
    defer { unsafe EVP_PKEY_free(key) }
    var publicKey = [UInt8](repeating: 0, count: 32)
    var length = publicKey.count
    // Safe: at most `length` bytes are written.
    guard unsafe EVP_PKEY_get_raw_public_key(key, &publicKey, &length) == 1, length == 32 else { return nil }
    self.seed = seed
    self.publicKey = publicKey
  }

  /// 64 bytes.
  public func sign(_ message: [UInt8]) -> [UInt8] {
    var signature = [UInt8](repeating: 0, count: 64)
    var length = signature.count
    // Safe: both are freed below; arrays live for the calls, and at most `length` bytes are written.
    let key = unsafe EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nil, seed, seed.count)
    let context = unsafe EVP_MD_CTX_new()
    defer {
      unsafe EVP_MD_CTX_free(context)
      unsafe EVP_PKEY_free(key)
    }
    let isDone =
      unsafe EVP_DigestSignInit(context, nil, nil, nil, key) == 1
      && EVP_DigestSign(context, &signature, &length, message, message.count) == 1
    precondition(isDone && length == 64, "libcrypto has no Ed25519")
    return signature
  }
}

/// Whoever has the public key can tell who signed.
public struct VerifyingKey: Sendable, Hashable {
  public let bytes: [UInt8]

  /// Nil unless there are 32 bytes.
  public init?(_ bytes: [UInt8]) {
    guard bytes.count == 32 else { return nil }
    self.bytes = bytes
  }

  public func verifies(_ signature: [UInt8], of message: [UInt8]) -> Bool {
    guard signature.count == 64 else { return false }
    // Safe: both are freed below (NULL is ignored); arrays live for the calls.
    let key = unsafe EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nil, bytes, bytes.count)
    let context = unsafe EVP_MD_CTX_new()
    defer {
      unsafe EVP_MD_CTX_free(context)
      unsafe EVP_PKEY_free(key)
    }
    guard unsafe key != nil, unsafe EVP_DigestVerifyInit(context, nil, nil, nil, key) == 1 else { return false }
    return unsafe EVP_DigestVerify(context, signature, signature.count, message, message.count) == 1
  }
}
