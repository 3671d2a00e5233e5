internal import Glibc
internal import System

/// A file of settings as text. Settings are small; a mistyped path to something huge or endless must do no harm.
enum TextFile {
  static let sizeLimit = 1 << 20

  struct Failure: Error {
    var message: String
    var remedy: String
  }

  static func read(_ path: String) throws(Failure) -> String {
    let bytes: [UInt8]
    do throws(SystemError) { bytes = try SmallFile.read(path, limit: sizeLimit) } catch { throw unreadable(error.code) }
    // A byte order mark is no content.
    let body = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? bytes[3...] : bytes[...]
    guard let text = String(validating: body, as: UTF8.self) else {
      throw Failure(message: "is not UTF-8", remedy: "save it as UTF-8")
    }
    return text
  }

  private static func unreadable(_ code: Int32) -> Failure {
    switch code {
    case EISDIR: Failure(message: "is a directory", remedy: "name a file")
    case EINVAL: Failure(message: "is no regular file", remedy: "name a file")
    case EFBIG:
      Failure(message: "is larger than 1 MiB", remedy: "split it, or check that this is the file you mean")
    default:
      Failure(
        message: "cannot be read: \(SystemError.text(code).lowercased())",
        remedy: code == ENOENT
          ? "check the path" : code == EACCES || code == EPERM ? "run as root, or make it readable" : "check the file")
    }
  }
}
