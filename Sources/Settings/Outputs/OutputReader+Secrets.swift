internal import Glibc
internal import System

extension OutputReader {
  func secret(_ key: String) -> Secret? { fields[key].flatMap { $0.secret(key) } }
}

extension Value {
  /// A text, `{file: PATH}` or `{credential: NAME}`. What is in a file must be readable, and by nobody else.
  func secret(_ key: String) -> Secret? {
    guard isMap else { return name(key).map { .text($0) } }
    guard let fields = Fields(self, key, known: Keys.secretSource.names) else { return nil }
    let secret: Secret
    if let file = fields["file"] {
      guard let path = file.path("file") else { return nil }
      if let status = try? FileStatus.of(path: path), status.mode & 0o004 != 0 {
        file.fail("\(quoted(path)) can be read by everybody", "chmod 600 \(printable(path))")
        return nil
      }
      secret = .file(path)
    } else if let credential = fields["credential"]?.name("credential") {
      guard !credential.contains("/"), credential != "..", credential != "." else {
        fail("\(quoted(credential)) is no name of a credential", "write the name that LoadCredential= has")
        return nil
      }
      secret = .credential(credential)
      // Nobody but the service is shown its credentials.
      if Secret.credentials == nil { return secret }
    } else {
      fail("\(quoted(key)) has neither `file` nor `credential`", "write \(key): {file: /etc/bailiff/secrets/NAME}")
      return nil
    }
    do { _ = try secret.read() } catch {
      fail("\(quoted(key)): \(error.description)", "put it there, in one line")
      return nil
    }
    return secret
  }
}

/// A URL of http or https, as far as it matters here.
struct WebURL {
  var isSecure: Bool
  var host: String

  /// Nil for what is none.
  init?(_ text: String) {
    let lower = text.lowercased()
    guard lower.hasPrefix("https://") || lower.hasPrefix("http://"),
      text.unicodeScalars.allSatisfy({ $0.isASCII && $0.value > 32 && !"\"<>\\^`{|}".unicodeScalars.contains($0) })
    else { return nil }
    isSecure = lower.hasPrefix("https://")
    var authority = text[text.firstRange(of: "://")!.upperBound...].prefix { !"/?#".contains($0) }
    if let at = authority.lastIndex(of: "@") { authority = authority[authority.index(after: at)...] }
    let name = authority.hasPrefix("[") ? authority.dropFirst().prefix { $0 != "]" } : authority.prefix { $0 != ":" }
    guard !name.isEmpty else { return nil }
    let port = authority.hasPrefix("[") ? authority.dropFirst(name.count + 2) : authority.dropFirst(name.count)
    guard port.isEmpty || port.hasPrefix(":") && UInt16(port.dropFirst()) ?? 0 > 0 else { return nil }
    host = String(name)
  }

  var isLocal: Bool { host == "localhost" || host == "::1" || host.hasPrefix("127.") }
}
