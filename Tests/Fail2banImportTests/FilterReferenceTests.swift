import Fail2banImport
import Filters
import Foundation
import Testing

/// Every stock filter, read by fail2ban's own `FilterReader` and by ours: the options must be equal, character by
/// character.
struct FilterReferenceTests {
  /// One reading of one filter.
  struct Reading: Decodable {
    var filter: String
    var options: [String: String]
    /// Nil where fail2ban cannot read it: the files that others include are no filters.
    var values: [String: String]?
  }

  /// Every filter under no options, as the journal's, and in each of its modes.
  static let script = """
    import glob, json, os, re, sys
    from configparser import InterpolationError
    from fail2ban.client.filterreader import FilterReader
    readings = []
    for path in sorted(glob.glob(sys.argv[1] + '/filter.d/*.conf')):
        name = os.path.basename(path)[:-5]
        modes = set(re.findall(r'^md[rp][er]-([a-z]+)', open(path, encoding='utf-8').read(), re.M))
        sets = [{}, {'maxlines': '7', 'failregex': 'x <HOST>'}]
        sets += [{'logtype': logtype} for logtype in ('journal', 'short', 'rfc5424')]
        for options in sets + [{'mode': mode} for mode in sorted(modes)]:
            reader = FilterReader(name, 'jail', dict(options), basedir=sys.argv[1])
            assert reader.read()
            reader.applyAutoOptions('auto')
            values = None
            try:
                if reader.has_section('Definition'):
                    reader.getOptions(None)
                    wanted = FilterReader._configOpts
                    values = {k: str(v) for k, v in reader.getCombined().items() if k in wanted and v is not None}
            except InterpolationError:
                pass
            readings.append({'filter': name, 'options': options, 'values': values})
    json.dump(readings, sys.stdout)
    """

  @Test(arguments: [Reference.directory, fixturePath("")])
  func everyFilterReadsAsFail2banReadsIt(_ directory: String) throws {
    let filters = try Reference.filters(directory)
    #expect(directory != Reference.directory || filters.count > 90)
    let readings = try JSONDecoder().decode([Reading].self, from: Reference.python(Self.script, [directory]))
    #expect(Set(readings.map(\.filter)) == Set(filters))
    var equal = 0
    for reading in readings {
      let configuration = try Configuration(base: directory + "/filter.d/" + reading.filter)
      guard let expected = reading.values else {
        #expect(throws: ConfigurationError.self, "\(reading.filter)") {
          var reader = try FilterReader(configuration, options: reading.options, logtype: .file)
          _ = try reader.options()
        }
        equal += 1
        continue
      }
      var reader = try FilterReader(configuration, options: reading.options, logtype: .file)
      let values = try reader.options().filter { FilterReader.optionNames.contains($0.key) }
      for name in FilterReader.optionNames {
        #expect(values[name] == expected[name], "\(reading.filter)\(reading.options) \(name)")
      }
      equal += values == expected ? 1 : 0
    }
    #expect(equal == readings.count)
    print("\(directory): \(equal) of \(readings.count) readings of \(filters.count) filters equal fail2ban's")
  }

  /// Files that are there to be included; without patterns of their own they are no filters, to fail2ban either.
  static let included: Set = [
    "apache-common", "botsearch-common", "common", "exim-common", "monit", "selinux-common",
  ]

  @Test func everyStockFilterLoads() throws {
    let filters = try Reference.filters(Reference.directory)
    for name in filters where !Self.included.contains(name) {
      let filter = try FilterTranslation.loadFilter(path: "/etc/fail2ban/filter.d/\(name).conf")
      #expect(filter.name == name)
      #expect(filter.file == "/etc/fail2ban/filter.d/\(name).conf")
      guard case .fail2ban(let rules) = filter.rules else {
        Issue.record("\(name) is not a fail2ban filter")
        continue
      }
      #expect(!rules.failregex.isEmpty, "\(name)")
    }
  }
}
