internal import Model
internal import System

/// What stood at the paths of a reload when it was asked for. The reader may come to it much later, because its sink waits
/// for a disk that is full; what was written meanwhile belongs to the sources that the reload named.
struct ReloadSnapshot: Sendable {
  private struct Look {
    var patterns: Set<PathPattern> = []
    var files: [String: FileStatus] = [:]
  }

  /// Microseconds since 1970.
  let time: UInt64
  /// Of each reload that the reader has not come to, the first one first.
  private var looks: [Look]

  init(_ specs: [SourceSpec]) {
    time = UInt64(clamping: SystemClock.now().microseconds)
    var look = Look()
    for spec in specs {
      guard spec.start == .end else { continue }
      for pattern in spec.patterns {
        look.patterns.insert(pattern)
        for path in pattern.expand() { look.files[path] = try? FileStatus.of(path: path) }
      }
    }
    looks = [look]
  }

  /// One after another, neither of which the reader has come to.
  func followed(by later: ReloadSnapshot) -> ReloadSnapshot {
    var both = self
    both.looks += later.looks
    return both
  }

  /// How long the file that is at `path` now was when it was first asked for; 0 when it came since.
  func size(of path: String, _ status: FileStatus) -> UInt64 {
    guard let first = looks.first(where: { $0.patterns.contains { $0.matches(path) } }),
      let then = first.files[path], then.isSameFile(as: status)
    else { return 0 }
    return min(then.size, status.size)
  }
}
