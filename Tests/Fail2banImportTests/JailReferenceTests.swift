import Fail2banImport
import Foundation
import TestSupport
import Testing

/// Every stock jail, and jails of our own over it, read by fail2ban's own `JailReader` and by ours.
struct JailReferenceTests {
  struct Reading: Decodable {
    var options: [String: String]
    var filter: [String: String]
  }

  /// fail2ban's readers on a directory; every jail, enabled or not.
  static let script = """
    import json, sys
    from fail2ban.client.configreader import ConfigReaderUnshared
    from fail2ban.client.jailreader import JailReader
    shared = {}
    cfg = ConfigReaderUnshared(share_config=shared, basedir=sys.argv[1])
    cfg.read('jail')
    jails = {}
    for name in [n for n in cfg.sections() if n != 'INCLUDES' and not n.startswith('KNOWN/')]:
        jail = JailReader(name, force_enable=True, share_config=shared, use_config=cfg, basedir=sys.argv[1])
        assert jail.getOptions(), name
        options = {o: cfg.get(name, o) for o in JailReader._configOpts if cfg.has_option(name, o)}
        combined = jail._JailReader__filter.getCombined()
        wanted = jail._JailReader__filter._configOpts
        combined = {k: str(v) for k, v in combined.items() if k in wanted and v is not None}
        jails[name] = {'options': options, 'filter': combined}
    json.dump(jails, sys.stdout)
    """

  private func compare(_ directory: String) throws -> Int {
    let expected = try JSONDecoder().decode([String: Reading].self, from: Reference.python(Self.script, [directory]))
    let reader = try JailReader(directory: directory)
    #expect(Set(reader.names) == Set(expected.keys))
    var equal = 0
    for (name, reading) in expected {
      var ours = try reader.read(name)
      ours.filterOptions = ours.filterOptions.filter { FilterReader.optionNames.contains($0.key) }
      for (option, value) in reading.options where ours.options[option] != value {
        Issue.record("[\(name)] \(option): \(ours.options[option] ?? "nil"), fail2ban has \(value)")
      }
      for (option, value) in reading.filter where ours.filterOptions[option] != value {
        Issue.record("[\(name)] filter's \(option): \(ours.filterOptions[option] ?? "nil"), fail2ban has \(value)")
      }
      equal += ours.options == reading.options && ours.filterOptions == reading.filter ? 1 : 0
    }
    #expect(equal == expected.count)
    return equal
  }

  @Test func everyStockJailReadsAsFail2banReadsIt() throws {
    let equal = try compare(Reference.directory)
    #expect(equal > 80)
    print("jail.conf: \(equal) jails equal fail2ban's")
  }

  @Test func ownJailsOverTheStockOnesReadAsFail2banReadsThem() throws {
    let directory = try TestDirectory()
    try directory.linkStock()
    try directory.write("jail.local", fixture("overrides/jail.local"))
    try directory.write("jail.d/10-first.conf", fixture("overrides/10-first.conf"))
    try directory.write("jail.d/20-last.local", fixture("overrides/20-last.local"))
    #expect(try compare(directory.path) > 80)
  }
}
