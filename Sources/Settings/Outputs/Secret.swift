internal import Glibc
internal import System

/// Something that must not be shown: a token, a password, a URL that is one. Written into the settings, into a file, or given
/// to the service by systemd (`LoadCredential=`). Read when it is used, so that a new one holds without a reload.
public enum Secret: Sendable, Equatable, CustomStringConvertible {
  case text(String)
  case file(String)
  /// A name in `$CREDENTIALS_DIRECTORY` (systemd.exec(5)).
  case credential(String)

  public struct Unreadable: Error, CustomStringConvertible {
    public var description: String
  }

  /// Without the line end that editors leave behind it.
  public func read() throws(Unreadable) -> String {
    let path: String
    switch self {
    case .text(let text): return text
    case .file(let file): path = file
    case .credential(let name):
      guard let directory = Self.credentials else {
        throw Unreadable(description: "the credential `\(name)` is only there when systemd starts the service")
      }
      path = "\(directory)/\(name)"
    }
    let bytes: [UInt8]
    do { bytes = try SmallFile.read(path, limit: 64 << 10) } catch { throw Unreadable(description: "\(error)") }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw Unreadable(description: "\(path) is no UTF-8 text")
    }
    var secret = text[...]
    while secret.last?.isNewline == true { secret.removeLast() }
    guard !secret.isEmpty, !secret.unicodeScalars.contains(where: isUnprintable) else {
      throw Unreadable(description: "\(path) must hold one line of text")
    }
    return String(secret)
  }

  /// Where systemd put what `LoadCredential=` names.
  static var credentials: String? {
    // Safe: getenv(3) returns text that is copied at once; nothing in this program sets variables.
    unsafe getenv("CREDENTIALS_DIRECTORY").map { unsafe String(cString: $0) }
  }

  public var description: String {
    switch self {
    case .text: "…"
    case .file(let path): "file \(path)"
    case .credential(let name): "credential \(name)"
    }
  }
}
