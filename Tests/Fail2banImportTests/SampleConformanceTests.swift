import Fail2banImport
import Fail2banMatching
import Filters
import Foundation
import Matching
import Model
import TestSupport
import Testing

/// fail2ban's annotated sample logs, as Debian's package installs them: for every line, under every option set that its file
/// names, we must find what the annotation above the line says: matched or not, host, time, user, users, attempts.
///
/// How they are judged is `fail2ban/tests/samplestestcase.py`'s business; here it is done again, in our own words.
struct SampleConformanceTests {
  /// A line to try under one filter with one set of options.
  struct Step: Decodable {
    var filter: String
    var path: String
    var options: [String: String]
    var file: String
    var number: Int
    var line: String
    /// Seconds since 1970 where the line has no date of its own (the journal's).
    var given: Double?
    var match: Bool
    /// The annotation's `time`, as seconds since 1970.
    var time: Double?
    var host: String?
    var user: String?
    var users: [String]?
    var attempts: Int?
    var ip4: String?
    var ip6: String?
    var hasNoName: Bool
  }

  /// Reads the sample files into steps. Annotations are JSON in comments; conditions are Python, so Python reads them.
  static let script = """
    import fail2ban, glob, json, os, re, sys, time
    os.environ['TZ'] = 'Europe/Berlin'
    time.tzset()
    tests = os.path.join(os.path.dirname(fail2ban.__file__), 'tests')
    now = 1124013600
    steps = []

    def seconds(text):
        whole, _, fraction = text.partition('.')
        return time.mktime(time.strptime(whole, '%Y-%m-%dT%H:%M:%S')) + float('0.' + (fraction or '0'))

    def read(name, path):
        files, common, sets = [name], {}, None
        for file in files:
            skip, pending = False, None
            for number, line in enumerate(open(os.path.join(tests, 'files/logs', file), 'rb'), 1):
                line = line.decode('utf-8', 'replace').rstrip('\\r\\n')
                note = re.match('#+ ?(failJSON|fileOptions|filterOptions|addFILE):(.+)$', line)
                if pending is None and note:
                    kind, value = note.group(1), json.loads(note.group(2))
                    if kind == 'fileOptions': common = value
                    elif kind == 'addFILE': files.append(value)
                    elif kind == 'failJSON': pending = value
                    else:
                        sets, skip = [], False
                        for options in value if isinstance(value, list) else [value]:
                            options = dict(common, **options)
                            if options.get('test.condition'):
                                skip = not eval(options['test.condition'], {'name': name})
                            if not skip: sets.append(options)
                    continue
                if pending is None and (skip or line.startswith('#') or not line.strip()): continue
                expected, pending = pending or {}, None
                if skip: continue
                for opts in sets or [{}]:
                    if 'constraint' in expected and not eval(expected['constraint'], {'name': name, 'opts': opts}): continue
                    journal = opts.get('logtype') == 'journal'
                    steps.append({
                        'filter': name, 'path': path, 'file': file, 'number': number,
                        'options': {k: v for k, v in opts.items() if not k.startswith('test.')},
                        'line': (opts.get('test.prefix-line') or '') + line if journal else line,
                        'given': now if journal else None, 'match': expected.get('match', False),
                        'time': seconds(expected['time']) if expected.get('time') else None,
                        'hasNoName': 'dns' in expected and expected['dns'] is None,
                        **{k: expected.get(k) for k in ('host', 'user', 'users', 'attempts', 'ip4', 'ip6')}})

    for pattern in ('/etc/fail2ban/filter.d/*.conf', tests + '/config/filter.d/zzz-*.conf'):
        for path in sorted(glob.glob(pattern)):
            name = os.path.basename(path)[:-5]
            if path.endswith('common.conf'): continue
            if name.startswith('zzz-'):
                # The package leaves out the file that these include from fail2ban's source tree.
                text = open(path).read()
                path = os.path.join(sys.argv[1], name + '.conf')
                text = re.sub('(?m)^before = .*/common.conf$', 'before = /etc/fail2ban/filter.d/common.conf', text)
                open(path, 'w').write(text)
            read(name, path)
    json.dump(steps, sys.stdout)
    """

  static func steps(_ directory: TestDirectory) throws -> [Step] {
    try JSONDecoder().decode([Step].self, from: Reference.python(script, [directory.path]))
  }

  @Test func everyAnnotatedLineAgrees() throws {
    let directory = try TestDirectory()
    let steps = try Self.steps(directory)
    #expect(steps.count > 1500)
    var matchers: [String: Fail2banMatcher] = [:]
    var agreed = 0
    let zone = try #require(ZoneOffsets(name: "Europe/Berlin"))
    for step in steps {
      // 2005-08-14T10:00:00Z, the day on which the samples are read.
      var clock = LogClock(now: Instant(seconds: 1_124_013_600), zone: zone)
      let key = step.path + step.options.map { "\($0)=\($1)" }.sorted().joined(separator: ",")
      if matchers[key] == nil {
        let definition = try FilterTranslation.loadFilter(path: step.path, options: step.options)
        guard case .fail2ban(let rules) = definition.rules else { continue }
        matchers[key] = Fail2banMatcher(try Fail2banFilter(rules, name: definition.name, file: definition.file))
      }
      let matcher = try #require(matchers[key])
      var found: [String] = []
      var differences: [String] = []
      matcher.tryLine(
        Array(step.line.utf8).span, clock: &clock, time: step.given.map { Instant(epoch: $0) }
      ) { failure in
        found.append(failure.id)
        differences += Self.differences(step, failure)
      }
      if found.isEmpty == step.match { differences = ["matched: \(!found.isEmpty)"] }
      if found.count > 1 { differences.append("\(found.count) failures") }
      if differences.isEmpty {
        agreed += 1
      } else {
        Issue.record(
          "\(step.filter)\(step.options) \(step.file):\(step.number): \(differences.joined(separator: ", ")) in: \(step.line)"
        )
      }
    }
    #expect(agreed == steps.count)
    print("samples: \(agreed) of \(steps.count) agree")
  }

  /// The same lines as the engine reads them: many at once, and only those that the prefilter lets through are dated and
  /// matched.
  @Test func everyAnnotatedLineAgreesInBatches() throws {
    let directory = try TestDirectory()
    let zone = try #require(ZoneOffsets(name: "Europe/Berlin"))
    let logs = Dictionary(grouping: try Self.steps(directory).filter { $0.given == nil }) {
      $0.path + $0.options.map { "\($0)=\($1)" }.sorted().joined(separator: ",")
    }
    var agreed = 0
    for steps in logs.values {
      var found: [Int: [(host: String, time: Double)]] = [:]
      let set = FilterSet([
        try Filter(try FilterTranslation.loadFilter(path: steps[0].path, options: steps[0].options))
      ])
      var clock = LogClock(now: Instant(seconds: 1_124_013_600), zone: zone)
      let text = Array(steps.map(\.line).joined(separator: "\n").utf8)
      set.scan(text.span, clock: &clock, history: LineHistory()) { match, line, offset in
        let name = match.bytes(match.name, in: line)
        let id = name.isEmpty ? match.address.description : String(decoding: name, as: UTF8.self)
        found[text[..<offset].count { $0 == 10 }, default: []].append((id, match.time.epoch))
      }
      for (number, step) in steps.enumerated() {
        let failures = found[number] ?? []
        let host = step.host.map { Address($0)?.description ?? $0 }
        let agrees =
          failures.count == (step.match ? 1 : 0)
          && failures.allSatisfy { (host == nil || $0.host == host) && (step.time == nil || $0.time == step.time) }
        agreed += agrees ? 1 : 0
        #expect(agrees, "\(step.filter)\(step.options) \(step.file):\(step.number): \(failures) in: \(step.line)")
      }
    }
    print("samples in batches: \(agreed) of \(logs.values.reduce(0) { $0 + $1.count }) agree")
  }

  static func differences(_ step: Step, _ failure: Fail2banFailure) -> [String] {
    func text(_ name: String) -> String? { failure[name].map { String(decoding: $0, as: UTF8.self) } }
    var found: [String] = []
    if let host = step.host {
      let same = Address(host).map { $0 == failure.address } ?? (host == failure.id)
      if !same { found.append("host \(failure.id) for \(host)") }
    }
    if let time = step.time, time != failure.time.epoch { found.append("time \(failure.time.epoch) for \(time)") }
    if let user = step.user, text("user") != user { found.append("user \(text("user") ?? "nil") for \(user)") }
    if let users = step.users {
      let ours = failure.users.map { String(decoding: $0, as: UTF8.self) }
      if Set(ours) != Set(users) { found.append("users \(ours) for \(users)") }
    }
    if let attempts = step.attempts, attempts != failure.attempts {
      found.append("attempts \(failure.attempts) for \(attempts)")
    }
    if let ip4 = step.ip4, text("ip4") != ip4 { found.append("ip4 \(text("ip4") ?? "nil") for \(ip4)") }
    if let ip6 = step.ip6, text("ip6") != ip6 { found.append("ip6 \(text("ip6") ?? "nil") for \(ip6)") }
    if step.hasNoName, let name = text("dns") { found.append("dns \(name) for none") }
    return found
  }
}
