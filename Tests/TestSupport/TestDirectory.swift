public import Foundation

/// A directory that is removed with the last reference to it.
public final class TestDirectory: Sendable {
  public let path: String

  /// - Parameter what: a part of its name, so that what a killed test run leaves behind can be told apart.
  public init(_ what: String = "test") throws {
    path = FileManager.default.temporaryDirectory.path + "/bailiff-\(what)-\(UUID().uuidString.prefix(8))"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// The path of a name in it.
  public func callAsFunction(_ name: String) -> String { path + "/" + name }

  /// Writes a file, and makes the directories above it; returns its path.
  @discardableResult
  public func write(_ name: String, _ text: String) throws -> String { try write(name, Data(text.utf8)) }

  @discardableResult
  public func write(_ name: String, _ data: Data) throws -> String {
    let file = URL(filePath: self(name))
    try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try data.write(to: file)
    return self(name)
  }

  @discardableResult
  public func makeDirectory(_ name: String) throws -> String {
    try FileManager.default.createDirectory(atPath: self(name), withIntermediateDirectories: true)
    return self(name)
  }

  public static func chmod(_ path: String, _ mode: Int) throws {
    try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
  }

  /// Appends to a file, which is made where it is not there.
  public func append(_ text: String, to name: String) throws { try Self.append(Data(text.utf8), to: self(name)) }

  public static func append(_ text: String, to path: String) throws { try append(Data(text.utf8), to: path) }

  public static func append(_ data: Data, to path: String) throws {
    if !FileManager.default.fileExists(atPath: path) { try Data().write(to: URL(filePath: path)) }
    let file = try FileHandle(forWritingTo: URL(filePath: path))
    try file.seekToEnd()
    try file.write(contentsOf: data)
    try file.close()
  }
}
