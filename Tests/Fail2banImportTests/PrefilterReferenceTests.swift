import Fail2banImport
import Fail2banMatching
import Foundation
import Matching
import Model
import Testing

/// Every stock filter over the sample logs of all of them, with the prefilter and without: the same failures in the same
/// lines. The prefilter sees lines whole, the patterns see them without their dates.
struct PrefilterReferenceTests {
  static let script = """
    import fail2ban, glob, os, sys
    tests = os.path.join(os.path.dirname(fail2ban.__file__), 'tests/files/logs/*')
    for path in sorted(glob.glob(tests)):
        if os.path.isfile(path):
            lines = [l for l in open(path, 'rb').read().split(b'\\n') if l.strip() and not l.startswith(b'#')]
            sys.stdout.buffer.write(b'\\n'.join(lines) + b'\\n')
    """

  @Test func thePrefilterLosesNothing() throws {
    let data = try Reference.python(Self.script)
    let text = [UInt8](data)
    #expect(text.count > 100_000)
    var failures = 0
    var filters = 0
    for name in try Reference.filters(Reference.directory) where !FilterReferenceTests.included.contains(name) {
      let filter = try Filter(try FilterTranslation.loadFilter(path: name))
      let with = found(filter, text, isPrefiltered: true)
      #expect(with == found(filter, text, isPrefiltered: false), "\(name)")
      failures += with.count
      filters += 1
    }
    #expect(failures > 700)
    print("prefilter: \(filters) filters, \(failures) failures, the same without it")
  }

  /// Offset and id of every failure.
  private func found(_ filter: Filter, _ text: [UInt8], isPrefiltered: Bool) -> [String] {
    let set = FilterSet([filter], isPrefiltered: isPrefiltered)
    var clock = LogClock(now: Instant(seconds: 1_124_013_600), zone: ZoneOffsets())
    var found: [String] = []
    set.scan(text.span, clock: &clock, history: LineHistory()) { match, line, offset in
      let host = match.bytes(match.host, in: line)
      found.append("\(offset) \(match.pattern) \(String(decoding: host, as: UTF8.self))")
    }
    return found
  }
}
