internal import Glibc
public import System

/// A journal that is read once from its first entry to its last.
public struct PastJournal: Sendable {
  private let match: JournalMatch
  private let directory: String?

  /// `matches` as in `SourceSpec`; `directory` nil: this machine's journal.
  public init(matches: [String] = [], directory: String? = nil) {
    match = JournalMatch(matches)
    self.directory = directory
  }

  /// Is `path` a directory, as a journal is (`/var/log/journal/<machine id>`)?
  public static func isDirectory(_ path: String) -> Bool {
    var found = stat()
    // Safe: stat(2) reads the path and fills the struct during the call.
    return unsafe stat(path, &found) == 0 && found.st_mode & S_IFMT == S_IFDIR
  }

  /// How audit and positions name it.
  public var name: String { match.name(in: directory) }

  /// Delivers the entries, numbered as `source`, with a checkpoint (of no positions) now and then. `begin` is the caller's
  /// to send. `goesOn` is asked then; false ends the reading.
  public func read(
    as source: Int, to sink: any LineSink, while goesOn: () -> Bool = { true }
  ) throws(SystemError) -> PastLog.Counts {
    let handle = try JournalHandle(directory: directory)
    try handle.add(match)
    try handle.seekToHead()
    let (entry, buffer) = (JournalEntry(), LineBuffer())
    entry.handle = handle
    let outlet = LineOutlet(source, to: sink)
    var more = true
    while more {
      for _ in 0..<JournalSource.entriesPerTurn {
        more = try handle.next()
        guard more else { break }
        if let notice = handle.deliver(entry, through: buffer, to: outlet),
          match.mayFit(unit: notice.unit)
        {
          sink.report(SourceEvent(source: match.name(in: directory), kind: .rateLimited(notice.text)))
        }
      }
      sink.checkpoint([])
      guard goesOn() else { break }
    }
    return PastLog.Counts(outlet.counters)
  }
}
