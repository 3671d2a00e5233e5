internal import Glibc

/// A file of settings as text. Settings are small; a mistyped path to something huge or endless must do no harm.
enum TextFile {
  static let sizeLimit = 1 << 20

  struct Failure: Error {
    var message: String
    var remedy: String
  }

  static func read(_ path: String) throws(Failure) -> String {
    let bytes = try contents(path)
    // A byte order mark is no content.
    let body = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? bytes[3...] : bytes[...]
    guard let text = String(validating: body, as: UTF8.self) else {
      throw Failure(message: "is not UTF-8", remedy: "save it as UTF-8")
    }
    return text
  }

  private static func contents(_ path: String) throws(Failure) -> [UInt8] {
    // O_NONBLOCK: a FIFO without a writer would hold up the program permanently.
    // Safe: the string lives for the call.
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw unreadable(errno) }
    defer { close(descriptor) }
    var information = stat()
    // Safe: fstat(2) fills the structure that it is handed.
    guard unsafe fstat(descriptor, &information) == 0 else { throw unreadable(errno) }
    guard information.st_mode & S_IFMT == S_IFREG else {
      throw Failure(
        message: information.st_mode & S_IFMT == S_IFDIR ? "is a directory" : "is no regular file",
        remedy: "name a file")
    }
    // One byte more than there should be, so that a file that grows, or whose size is not told, shows.
    var bytes = [UInt8](repeating: 0, count: min(max(Int(information.st_size), 4095), sizeLimit) + 1)
    var count = 0
    while true {
      if count == bytes.count {
        guard count <= sizeLimit else { break }
        bytes.append(contentsOf: repeatElement(0, count: min(count, sizeLimit + 1 - count)))
      }
      // Safe: the pointer lives for the call, and read(2) writes at most what is left of the array behind it.
      let got = unsafe bytes.withUnsafeMutableBytes { buffer in
        unsafe Glibc.read(descriptor, buffer.baseAddress! + count, buffer.count - count)
      }
      if got < 0, errno == EINTR { continue }
      guard got >= 0 else { throw unreadable(errno) }
      if got == 0 { break }
      count += got
    }
    guard count <= sizeLimit else {
      throw Failure(message: "is larger than 1 MiB", remedy: "split it, or check that this is the file you mean")
    }
    bytes.removeLast(bytes.count - count)
    return bytes
  }

  private static func unreadable(_ code: Int32) -> Failure {
    // Safe: strerror(3) returns a string that ends in NUL, copied at once.
    let reason = unsafe String(cString: strerror(code))
    let remedy =
      switch code {
      case ENOENT: "check the path"
      case EACCES, EPERM: "run as root, or make it readable"
      default: "check the file"
      }
    return Failure(message: "cannot be read: \(reason.lowercased())", remedy: remedy)
  }
}
