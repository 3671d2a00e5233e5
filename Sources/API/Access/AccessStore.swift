internal import Cryptography
internal import Model
internal import Synchronization

/// Users and tokens, checked and changed.
final class AccessStore: Sendable {
  private struct State {
    var file: AccessFile
    /// Times of use are written once a minute.
    var written: Instant
    var isChanged = false
  }

  private let path: String
  private let state: Mutex<State>

  /// - Throws: `RequestError` for a file that cannot be read.
  init(path: String) throws(RequestError) {
    self.path = path
    state = Mutex(State(file: try AccessFile.read(path), written: Instant(microseconds: .min)))
  }

  var file: AccessFile { state.withLock { $0.file } }

  /// Somebody who asked, and what they may.
  struct Identity: Hashable, Sendable {
    var name: String
    var role: Role
  }

  // MARK: Tokens

  static let tokenPrefix = "bailiff_"

  /// Returns the token, which is told this once.
  func addToken(_ name: String, _ role: Role, expires: Instant?, at now: Instant) throws(RequestError) -> String {
    try Self.check(name: name)
    let token = Self.tokenPrefix + Base64URL.text(Digest.random(32))
    try change { file throws(RequestError) in
      guard !file.tokens.contains(where: { $0.name == name }) else {
        throw RequestError(
          .rejected, "there is a token \(name) already", remedy: "revoke it first, or choose another name")
      }
      file.tokens.append(
        .init(name: name, role: role, hash: Self.hash(token), created: now, expires: expires, lastUsed: nil))
    }
    return token
  }

  func revokeToken(_ name: String) throws(RequestError) {
    try change { file throws(RequestError) in
      guard let index = file.tokens.firstIndex(where: { $0.name == name }) else {
        throw RequestError(.rejected, "there is no token \(name)")
      }
      file.tokens.remove(at: index)
    }
  }

  /// Whose token this is; nil: nobody's, or its time is over.
  func identity(token: String, at now: Instant) -> Identity? {
    let hash = Self.hash(token)
    return state.withLock { state in
      guard let index = state.file.tokens.firstIndex(where: { $0.hash == hash }),
        state.file.tokens[index].expires.map({ $0 > now }) ?? true
      else { return nil }
      state.file.tokens[index].lastUsed = now
      state.isChanged = true
      return Identity(name: state.file.tokens[index].name, role: state.file.tokens[index].role)
    }
  }

  private static func hash(_ token: String) -> String { Base64URL.text(Digest.sha256(Array(token.utf8))) }

  // MARK: Users

  /// Makes a user, or gives one another password or role.
  func setUser(_ name: String, password: String?, role: Role?, totp: String??, at now: Instant) throws(RequestError) {
    try Self.check(name: name)
    if let password, password.utf8.count < 10 {
      throw RequestError(.invalid, "the password has \(password.utf8.count) bytes", remedy: "10 are the least")
    }
    let hash = password.map { Scrypt.hash($0) }
    try change { file throws(RequestError) in
      let index = file.users.firstIndex { $0.name == name }
      guard
        var user = index.map({ file.users[$0] })
          ?? hash.map({
            .init(name: name, role: .look, password: $0, totp: nil, totpUsed: nil, created: now, lastLogin: nil)
          })
      else {
        throw RequestError(.invalid, "there is no user \(name)", remedy: "a new one needs a password")
      }
      if let hash { user.password = hash }
      if let role { user.role = role }
      if let totp { (user.totp, user.totpUsed) = (totp, nil) }
      if let index { file.users[index] = user } else { file.users.append(user) }
    }
  }

  func removeUser(_ name: String) throws(RequestError) {
    try change { file throws(RequestError) in
      guard let index = file.users.firstIndex(where: { $0.name == name }) else {
        throw RequestError(.rejected, "there is no user \(name)")
      }
      file.users.remove(at: index)
    }
  }

  /// Who logs in with these; nil: nobody. Takes as long for a user who does not exist, and some 50 ms of a processor.
  func login(_ name: String, password: String, code: String?, at now: Instant) -> Identity? {
    let user = file.users.first { $0.name == name }
    let matches = Scrypt.matches(password, user?.password ?? Self.nobody)
    guard matches, let user else { return nil }
    return state.withLock { state in
      // Asked again under the lock: a code is accepted once.
      guard let index = state.file.users.firstIndex(where: { $0.name == name && $0.password == user.password }) else {
        return nil
      }
      if let totp = state.file.users[index].totp {
        guard let password = OneTimePassword(base32: totp), let code,
          let step = password.step(of: code, at: now.seconds, used: state.file.users[index].totpUsed)
        else { return nil }
        state.file.users[index].totpUsed = step
      }
      state.file.users[index].lastLogin = now
      state.isChanged = true
      return Identity(name: name, role: state.file.users[index].role)
    }
  }

  /// Of no password.
  private static let nobody = Scrypt.hash(Base64URL.text(Digest.random(16)))

  func role(of user: String) -> Role? { file.users.first { $0.name == user }?.role }

  // MARK: Inside

  private static func check(name: String) throws(RequestError) {
    let isName = name.utf8.allSatisfy { byte in
      switch byte {
      case 48...57, 65...90, 97...122, UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "@"): true
      default: false
      }
    }
    guard isName, (1...64).contains(name.utf8.count) else {
      throw RequestError(.invalid, "this is no name", remedy: "use up to 64 letters, digits, `-`, `_`, `.` and `@`")
    }
  }

  private func change(_ body: (inout AccessFile) throws(RequestError) -> Void) throws(RequestError) {
    try state.withLock { state throws(RequestError) in
      var file = state.file
      try body(&file)
      try file.write(path)
      state.file = file
      state.isChanged = false
    }
  }

  /// Writes times of use; call it now and then.
  func flush(at now: Instant) {
    state.withLock { state in
      guard state.isChanged, now.since(state.written) > .minutes(1) || now < state.written else { return }
      state.written = now
      state.isChanged = (try? state.file.write(path)) == nil
    }
  }
}
