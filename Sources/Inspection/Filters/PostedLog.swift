internal import Filters
internal import Matching
public import Model
public import Settings
internal import System

/// Lines that somebody sent instead of naming a file: tried by a filter, searched for what fits, or replayed. They are never
/// unpacked, and no name that came with them is opened.
public struct PostedLog: Sendable {
  private let bytes: [UInt8]

  /// - Throws: `RequestError` for what is no text of lines.
  public init(_ bytes: [UInt8]) throws(RequestError) {
    // What is compressed begins with one of these (gzip, xz, zstd, bzip2); a small one may hold terabytes.
    let packed: [[UInt8]] = [[0x1F, 0x8B], [0xFD, 0x37, 0x7A], [0x28, 0xB5, 0x2F, 0xFD], [0x42, 0x5A, 0x68]]
    guard !packed.contains(where: { bytes.starts(with: $0) }) else {
      throw RequestError(.invalid, "the lines are compressed", remedy: "send them as they are")
    }
    self.bytes = bytes.last == UInt8(ascii: "\n") || bytes.isEmpty ? bytes : bytes + [UInt8(ascii: "\n")]
  }

  /// What the filter makes of each line, as `bailiff filter test FILTER FILE` has it.
  public func test(_ name: String, _ library: FilterLibrary, at now: Instant) throws -> [LineReply] {
    try Self.check(name)
    let filter = try FilterLoading.compile(FilterLoading.load(name, library: library))
    let tester = try LineTester(filter, clock: LogClock(now: now), hasTimestamps: true)
    let replies = Replies<LineReply>()
    try asFile { path in
      try LogLines.forEachBatch(in: path, journalmatch: filter.definition.journalmatch, prefix: tester.prefix) {
        batch in
        for result in tester.test(batch) { replies.all.append(LineReply(line: replies.all.count + 1, result)) }
      }
    }
    return replies.all
  }

  /// Which filters find failures, as `bailiff filter detect` has it.
  public func detect(_ library: FilterLibrary, at now: Instant) throws -> [DetectReply] {
    let filters = try library.all().filters.map { try FilterLoading.compile($0) }
    return try asFile { try FilterDetection.run(filters, on: $0, clock: LogClock(now: now)) }
  }

  /// A filter's name; what would be a path is none, so that nobody has a file read.
  private static func check(_ name: String) throws(RequestError) {
    let isName = name.utf8.allSatisfy { byte in
      switch byte {
      case 48...57, 65...90, 97...122, UInt8(ascii: "-"), UInt8(ascii: "_"): true
      default: false
      }
    }
    guard isName, (1...64).contains(name.utf8.count) else {
      throw RequestError(.invalid, "this is no filter's name", remedy: "bailiff filter list has them")
    }
  }

  /// Lends a path under which the lines can be read, in memory alone.
  func asFile<Result>(_ body: (String) throws -> Result) throws -> Result {
    let file = try Descriptor.memoryFile("bailiff-lines")
    try file.write(bytes)
    return try body("/proc/self/fd/\(file.raw)")
  }
}

/// What a closure that may not capture a variable adds to.
private final class Replies<Reply> {
  var all: [Reply] = []
}
