internal import Glibc
public import Model
internal import System

/// The directory of the store.
public enum StateDirectory {
  /// Makes it and those above it.
  public static func make(_ path: String) throws(RequestError) {
    do { try Directory.make(path, mode: 0o700) } catch {
      throw RequestError(.invalid, "`state`: \(error)", remedy: "name a directory that this user can make, or make it")
    }
  }

  /// Tries whether it can be made and written to, and leaves everything as it was.
  public static func probe(_ path: String) throws(RequestError) {
    var made: [String] = []
    var missing: String? = path
    while let directory = missing, (try? FileStatus.ofLink(path: directory)) == nil {
      made.append(directory)
      missing = Directory.parent(of: directory)
    }
    // Safe: rmdir(2) and unlink(2) read their paths during the call.
    defer { for directory in made { _ = unsafe rmdir(directory) } }
    try make(path)
    let file = "\(path)/.bailiff-check-\(getpid())"
    do {
      _ = try Descriptor.open(file, flags: O_WRONLY | O_CREAT | O_EXCL, mode: 0o600)
    } catch {
      throw RequestError(
        .invalid, "`state`: \(path) cannot be written to: \(SystemError.text(error.code))",
        remedy: "let the daemon's user write there, or name another directory")
    }
    _ = unsafe unlink(file)
  }
}
