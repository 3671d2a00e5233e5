internal import Glibc
internal import JSON
internal import Model
internal import System

/// Reports on disk, in `reports/` in the state directory: `ID.json` says what it is, `ID.html` and `ID.pdf` are it.
struct ReportArchive: Sendable {
  let directory: String

  /// Newest first. A file that is not one of ours, or is damaged, is none.
  func entries() -> [ReportReply] {
    let names = (try? Directory.names(directory)) ?? []
    return names.reversed().compactMap { name in
      guard name.hasSuffix(".json"), let bytes = try? SmallFile.read("\(directory)/\(name)"),
        let entry = try? JSONInput.decode(ReportReply.self, from: bytes), "\(entry.id).json" == name
      else { return nil }
      return entry
    }
  }

  func write(_ entry: ReportReply) throws(SystemError) {
    try SmallFile.replace(path(entry, "json"), with: JSONOutput.line(of: entry), mode: 0o600)
  }

  func write(_ bytes: [UInt8], of entry: ReportReply, _ kind: String) throws(SystemError) {
    try Directory.make(directory, mode: 0o700)
    try SmallFile.replace(path(entry, kind), with: bytes, mode: 0o600)
  }

  /// Makes a file that another program wrote its owner's alone. Returns its size in bytes.
  func takeOver(_ entry: ReportReply, _ kind: String) throws(RequestError) -> Int {
    do throws(SystemError) {
      let bytes = try read(entry, kind)
      try write(bytes, of: entry, kind)
      return bytes.count
    } catch { throw RequestError(.failed, "\(error)") }
  }

  func read(_ entry: ReportReply, _ kind: String) throws(SystemError) -> [UInt8] {
    try SmallFile.read(path(entry, kind), limit: Self.largest)
  }

  /// What it is goes last: an end in the middle leaves a report that can be removed again.
  func remove(_ entry: ReportReply) throws(SystemError) {
    for kind in ["pdf", "html", "json"] { try SmallFile.remove(path(entry, kind)) }
  }

  func path(_ entry: ReportReply, _ kind: String) -> String { "\(directory)/\(entry.id).\(kind)" }

  /// Bytes; a page has some 50,000.
  static let largest = 32 << 20
}
