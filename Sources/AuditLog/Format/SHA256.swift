internal import CCrypto

/// SHA-256 by OpenSSL, which uses the processor's own instructions for it.
/// https://docs.openssl.org/3.0/man3/EVP_DigestInit/
// Safe, all of the calls here: the context lives as long as this, and bytes are read during a call only. They fail for want of
// memory alone, which ends the process as it does in Swift.
@safe struct SHA256: ~Copyable {
  static let size = 32

  private let context: OpaquePointer

  init() {
    unsafe context = unsafe EVP_MD_CTX_new()
    let started = unsafe EVP_DigestInit_ex(context, Self.algorithm.pointer, nil)
    precondition(started == 1, "libcrypto has no SHA-256")
  }

  deinit { unsafe EVP_MD_CTX_free(context) }

  mutating func update(_ bytes: borrowing Span<UInt8>) {
    _ = unsafe bytes.withUnsafeBytes { unsafe EVP_DigestUpdate(context, $0.baseAddress, $0.count) }
  }

  mutating func update(_ bytes: [UInt8]) { update(bytes.span) }

  /// The digest; what is hashed next begins a new one.
  mutating func finish() -> [UInt8] {
    let digest = unsafe [UInt8](unsafeUninitializedCapacity: Self.size) { buffer, count in
      _ = unsafe EVP_DigestFinal_ex(context, buffer.baseAddress, nil)
      count = Self.size
    }
    _ = unsafe EVP_DigestInit_ex(context, nil, nil)
    return digest
  }

  static func hash(_ bytes: [UInt8]) -> [UInt8] {
    var hasher = SHA256()
    hasher.update(bytes)
    return hasher.finish()
  }

  /// Looked up once: a search by name costs more than a short digest.
  @safe private struct Algorithm: @unchecked Sendable {  // Unchecked: never changed, never freed.
    let pointer: OpaquePointer?
  }

  private static let algorithm = unsafe Algorithm(pointer: EVP_MD_fetch(nil, "SHA256", nil))
}
