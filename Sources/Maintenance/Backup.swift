internal import AuditLog
public import Model
public import Settings
internal import System

/// Everything that Bailiff has on this machine, in one file: settings, filters, lists, and the audit as it is at one moment. The
/// daemon may run meanwhile.
public enum Backup {
  public struct Summary: Sendable {
    public var files: [String]
    /// Nil where no daemon has run yet.
    public var database: String?
  }

  /// - Throws: `RequestError`, `SystemError`, `StoreError`.
  public static func write(to file: String, of settings: Settings, version: String, now: Instant, audit: Bool = true)
    throws -> Summary
  {
    let archive = try Archive(beside: file)
    try Directory.make(archive.path("files"))
    let manifest = Manifest(version: version, taken: now, settings: settings.file, database: settings.database)
    try SmallFile.replace(archive.path("manifest"), with: Array(manifest.text.utf8))
    let files = settings.files()
    for path in files { try Archive.copy(path, to: archive.path("files" + path)) }
    let hasDatabase = audit && (try? FileStatus.of(path: settings.database)) != nil
    if hasDatabase { try AuditStore.readOnly(path: settings.database).copy(to: archive.path("bailiff.db")) }
    try archive.pack(into: file)
    return Summary(files: files, database: hasDatabase ? settings.database : nil)
  }
}
