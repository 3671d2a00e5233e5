public import Model
internal import System

/// The last good state of each list that is fetched, on disk: a machine that starts without its network blocks what it blocked
/// before.
public struct ListCache: Sendable {
  /// One list as it was taken over.
  public struct Kept: Sendable {
    public var list: AddressList
    public var version: ListVersion
    public var fetched: Instant

    public init(list: AddressList, version: ListVersion, fetched: Instant) {
      self.list = list
      self.version = version
      self.fetched = fetched
    }
  }

  private let directory: String

  public init(directory: String) { self.directory = directory }

  /// Nil when there is none, or none that can be read.
  public func load(_ name: String) -> Kept? {
    guard let bytes = try? SmallFile.read(path(name), limit: ListSource.sizeLimit) else { return nil }
    let head = String(decoding: bytes.prefix(4096), as: UTF8.self).split(separator: "\n", maxSplits: 3)
    guard head.count >= 3, head[0].hasPrefix("# "), let fetched = Int64(head[0].dropFirst(2)),
      head[1].hasPrefix("# "), head[2].hasPrefix("# ")
    else { return nil }
    return Kept(
      list: AddressList(ListText(bytes.span).subnets),
      version: ListVersion(parts: [String(head[1].dropFirst(2)), String(head[2].dropFirst(2))]),
      fetched: Instant(microseconds: fetched))
  }

  public func store(_ name: String, _ kept: Kept) throws(ListProblem) {
    var text = "# \(kept.fetched.microseconds)\n"
    // What a server sends stays on its line.
    for place in 0..<2 {
      let part = place < kept.version.parts.count ? kept.version.parts[place] : ""
      text += "# \(part.filter { !$0.isNewline })\n"
    }
    var bytes = Array(text.utf8)
    for entry in kept.list.entries {
      bytes += Array(entry.description.utf8)
      bytes.append(10)
    }
    do throws(SystemError) {
      try Directory.make(directory, mode: 0o700)
      try SmallFile.replace(path(name), with: bytes, mode: 0o600)
    } catch {
      throw ListProblem(error)
    }
  }

  private func path(_ name: String) -> String { "\(directory)/\(name)" }
}
