internal import Glibc
internal import Model
internal import System

/// A backup on its way into a file or out of one: a directory with three things, packed by tar(1).
///
/// ```
/// bailiff-backup/manifest       what it is, and when it was taken
/// bailiff-backup/bailiff.db     the audit, if there is one
/// bailiff-backup/files/…        settings, filters and lists, each by its full path
/// ```
final class Archive: Sendable {
  static let name = "bailiff-backup"
  /// The directory into which it is unpacked, for root alone; removed with this.
  let directory: String

  /// Makes the directory beside `file`, where there is room for what it is made of.
  init(beside file: String) throws {
    directory = "\(file).parts-\(getpid())"
    // Safe: the path is read during the call.
    guard unsafe mkdir(directory, 0o700) == 0 else { throw SystemError.last("make the directory \(directory)") }
  }

  deinit { Self.remove(directory) }

  func path(_ inner: String) -> String { "\(directory)/\(Self.name)/\(inner)" }

  /// Packs it into `file`, which nobody but its owner can read, in one step.
  func pack(into file: String) throws {
    let new = "\(file).new-\(getpid())"
    // tar(1) makes the file: for others to read unless told otherwise.
    try SmallFile.replace(new, with: [], mode: 0o600)
    do {
      try Self.tar(["--create", "--gzip", "--file", new, "--directory", directory, Self.name])
      try SmallFile.rename(new, to: file)
    } catch {
      try? SmallFile.remove(new)
      throw error
    }
  }

  /// tar strips leading slashes and refuses `..`, so nothing is written outside.
  func unpack(_ file: String) throws {
    try Self.tar(["--extract", "--gzip", "--file", file, "--directory", directory, "--no-same-owner", Self.name])
  }

  /// The files below `files/`, by their full paths.
  func files() throws -> [String] { try Self.files(below: path("files")).map { "/\($0)" } }

  /// Lists of addresses have some megabytes.
  static func read(_ path: String) throws(SystemError) -> [UInt8] { try SmallFile.read(path, limit: 256 << 20) }

  /// Copies a file with its permissions, in one step, and makes the directories above it.
  static func copy(_ path: String, to target: String) throws(SystemError) {
    if let directory = Directory.parent(of: target) { try Directory.make(directory) }
    try SmallFile.replace(target, with: try read(path), mode: try FileStatus.of(path: path).mode & 0o7777)
  }

  private static func files(below directory: String) throws -> [String] {
    try Directory.names(directory).sorted().flatMap { name -> [String] in
      let path = "\(directory)/\(name)"
      let status = try FileStatus.ofLink(path: path)
      if status.isRegular { return [name] }
      // A link could lead to any file of this machine.
      guard status.isDirectory else {
        throw RequestError(
          .rejected, "it holds a link or a device, \(name)", remedy: "name a file that `bailiff backup` wrote")
      }
      return try files(below: path).map { "\(name)/\($0)" }
    }
  }

  private static func tar(_ arguments: [String]) throws {
    guard let path = Program.find("tar") else {
      throw RequestError(.rejected, "there is no program `tar`", remedy: "install the package tar")
    }
    let result = try Program(path: path, arguments: arguments).run(deadline: 3600)
    guard result.status == 0 else {
      let last =
        result.errors.split(whereSeparator: \.isNewline).last.map(String.init) ?? "it ended with \(result.status)"
      throw RequestError(.rejected, "tar: \(last)", remedy: "check the file and the room on its disk")
    }
  }

  private static func remove(_ path: String) {
    if let names = try? Directory.names(path) { for name in names { remove("\(path)/\(name)") } }
    // Safe: the path is read during the calls; one of the two is right for what it is.
    if unsafe unlink(path) != 0 { _ = unsafe rmdir(path) }
  }
}
