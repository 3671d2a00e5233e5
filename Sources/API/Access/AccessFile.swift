internal import Glibc
internal import JSON
internal import Model
internal import System

/// Who may use the API on TCP: people with passwords, programs with tokens. Kept in `access.json` in the state directory,
/// readable by the daemon alone; it holds no secret that lets anybody in.
struct AccessFile: Hashable, Sendable, Codable {
  struct User: Hashable, Sendable, Codable {
    var name: String
    var role: Role
    /// As `Scrypt.hash` writes it.
    var password: String
    /// The secret of one-time passwords in base32; nil: none are asked for.
    var totp: String?
    /// The step of the last one that was accepted.
    var totpUsed: Int64?
    var created: Instant
    var lastLogin: Instant?
  }

  struct Token: Hashable, Sendable, Codable {
    var name: String
    var role: Role
    /// The SHA-256 of the token, in base64url.
    var hash: String
    var created: Instant
    var expires: Instant?
    var lastUsed: Instant?
  }

  var users: [User] = []
  var tokens: [Token] = []

  /// Empty where there is no file yet.
  /// - Throws: `RequestError` for one that cannot be read.
  static func read(_ path: String) throws(RequestError) -> AccessFile {
    let bytes: [UInt8]
    do throws(SystemError) {
      bytes = try SmallFile.read(path, limit: 16 << 20)
    } catch {
      guard error.code != ENOENT else { return AccessFile() }
      throw RequestError(.failed, "\(path) cannot be read: \(SystemError.text(error.code))")
    }
    do { return try JSONInput.decode(AccessFile.self, from: bytes) } catch {
      throw RequestError(
        .failed, "\(path) is damaged: \(error)",
        remedy: "restore a copy, or move it away and make users and tokens again")
    }
  }

  func write(_ path: String) throws(RequestError) {
    do { try SmallFile.replace(path, with: JSONOutput.line(of: self), mode: 0o600) } catch {
      throw RequestError(.failed, "\(path) cannot be written: \(SystemError.text(error.code))")
    }
  }
}
