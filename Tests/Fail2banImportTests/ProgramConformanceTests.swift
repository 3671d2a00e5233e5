import Foundation
import Model
import TestSupport
import Testing

/// The program itself, from outside, against fail2ban: its annotated samples, and filters of our own that use what filters
/// in the wild use.
struct ProgramConformanceTests {
  @Test func everyAnnotatedLineAgrees() throws {
    let directory = try TestDirectory()
    let logs = Dictionary(grouping: try SampleConformanceTests.steps(directory)) { step in
      [step.path] + step.options.map { "\($0)=\($1)" }.sorted()
    }
    var total = 0
    var agreed = 0
    for steps in logs.values {
      let first = steps[0]
      let lines = try Program.test(
        first.path, steps.map(\.line), options: first.options, now: "2005-08-14T12:00:00+02:00",
        timezone: "Europe/Zurich", isDated: first.given == nil)
      for (step, line) in zip(steps, lines) {
        let differences = Self.differences(step, line)
        total += 1
        agreed += differences.isEmpty ? 1 : 0
        #expect(
          differences.isEmpty,
          "\(step.filter)\(step.options) \(step.file):\(step.number): \(differences) in: \(step.line)")
      }
    }
    #expect(total > 1500)
    print("samples through the program: \(agreed) of \(total) agree")
  }

  /// As strings, just as the annotations have them; where there is no such key, there must be none here.
  private static func differences(_ step: SampleConformanceTests.Step, _ line: Program.Line) -> [String] {
    guard step.match else { return line.result == "failure" ? ["matched"] : [] }
    guard line.result == "failure", line.failures.count == 1, let failure = line.failures.first else {
      return ["\(line.result), \(line.failures.count) failures"]
    }
    var found: [String] = []
    func compare<T: Equatable>(_ name: String, _ ours: T?, _ theirs: T?) {
      if let theirs, ours != theirs { found.append("\(name) \(ours.map { "\($0)" } ?? "nil") for \(theirs)") }
    }
    compare("host", failure.host, step.host)
    compare("time", failure.time, step.time)
    compare("user", failure.texts["user"], step.user)
    compare("users", failure.users?.sorted(), step.users?.sorted())
    compare("attempts", failure.attempts, step.attempts)
    compare("ip4", failure.texts["ip4"], step.ip4)
    compare("ip6", failure.texts["ip6"], step.ip6)
    if step.hasNoName, let name = failure.texts["dns"] { found.append("dns \(name) for none") }
    return found
  }

  // MARK: Filters in the wild

  struct Log: Decodable {
    var filter: String
    var options: [String: String]
    var lines: [String]
    /// What fail2ban's own `Filter.processLine` found; nil where it failed with an exception.
    var found: [[Finding]?]
  }

  struct Finding: Decodable {
    var id: String
    var time: Double
    var texts: [String: String]
    var users: [String]
    var attempts: Int
  }

  static let script = #"""
    import glob, json, logging, os, random, re, sys, time
    os.environ['TZ'] = 'Europe/Zurich'
    time.tzset()
    logging.disable(logging.CRITICAL)
    from fail2ban.client.filterreader import FilterReader
    from fail2ban.server.datedetector import DateDetector
    from fail2ban.server.filter import Filter
    from fail2ban.server.mytime import MyTime
    base, rounds, now = sys.argv[1], int(sys.argv[2]), 1709314200
    stamps = ['2024-03-01 10:11:12', 'Mar  1 10:11:12', '2024-02-29T23:59:59+01:00', 'Feb 28 01:02:03', '1709300001',
              '[01/Mar/2024:06:07:08 +0100]', 'Mar 01, 2024 06:07:08 PM', '20240301-101112', 't=1709300000.5', '10:11:12', '']
    hosts = ['2001:db8::7', '[2001:db8::7]', '::ffff:192.0.2.9', 'h.example.com', '192.0.2.44:587', '[192.0.2.5]',
             'fe80::1%eth0', '::1', '1.2.3.4/24']
    oddities = ['\0', '\u00e9', '"', "'", '\t', '  ', '[', ']', '<', '>', '%', '\\', '\u00a0', '0', 'a', '\u200b', '\u00df', '\x0b']

    def changed(line, dice, keeps):
        kind, at = dice.randrange(8), dice.randrange(len(line) + 1)
        if keeps and (kind > 4 or re.search(r'\d\.\d', line)): return line
        if kind == 0: return line[:at]
        if kind in (1, 2): return line[:at] + dice.choice(oddities) + line[at + dice.choice([0, 1]):]
        if kind == 3: return line[:at] + line[at:].swapcase()
        if kind == 4:
            words = line.split(' ')
            words.insert(dice.randrange(len(words)), dice.choice(words))
            return ' '.join(words)
        if kind == 5: return re.sub(r'(?:\d{1,3}\.){3}\d{1,3}', lambda m: dice.choice(hosts), line, count=1)
        if kind == 6: return line + ' ' + dice.choice(stamps)
        return dice.choice(stamps) + ' ' + line

    def filter(name, options):
        reader = FilterReader(name, 'jail', dict(options), basedir=base)
        assert reader.read()
        reader.getOptions({})
        made = Filter(None)
        made.checkFindTime = made.ignoreSelf = False
        made.setUseDns('no')
        for command in reader.convert():
            for value in command[3] if command[0] == 'multi-set' else [command[3]]:
                if command[2] == 'prefregex': made.prefRegex = value
                elif command[2] == 'addfailregex': made.addFailRegex(value)
                elif command[2] == 'addignoreregex': made.addIgnoreRegex(value)
                elif command[2] == 'maxlines': made.setMaxLines(value)
                elif command[2] == 'datepattern': made.setDatePattern(value)
                elif command[2] == 'usedns': made.setUseDns(value)
                elif command[2] != 'addjournalmatch': raise ValueError(command)
        return made

    logs = []
    for path in sorted(glob.glob(os.path.join(base, 'filter.d/*.conf'))):
        name = os.path.basename(path)[:-5]
        log = next((l for l in (path[:-5] + '.log', re.sub(r'\d*\.conf$', '.log', path)) if os.path.exists(l)), None)
        if not log: continue
        first, *samples = open(log, encoding='utf-8').read().rstrip('\n').split('\n')
        # Another address under the same key is a new session here, and not there: these stay.
        keeps = name == 'session'
        for options in json.loads(first.partition('options:')[2]):
            dice = random.Random(name)
            lines = samples + [changed(l, dice, keeps) if dice.random() < .6 else l
                               for l in (dice.choice(samples) for _ in range(rounds))]
            lines = [l for l in lines if l.strip()]
            MyTime.setTime(now)
            # Templates are shared by all detectors, with their counts, and copied with them; each log shall begin anew.
            for template in DateDetector._defCache.templates: template.hits = 0
            made = filter(name, options)
            for template in made.dateDetector.templates: template.template.hits = 0
            found = []
            for line in lines:
                try: results = made.processLine(line)
                except Exception:
                    found.append(None)
                    continue
                found.append([{'id': str(id), 'time': time or now, 'texts': {k: v for k, v in data.items() if isinstance(v, str)},
                               'users': sorted(data.get('users') or []), 'attempts': len(data.get('matches') or []) or 1}
                              for _, id, time, data in results if id is not None and not data.get('nofail')])
            logs.append({'filter': path, 'options': options, 'lines': lines, 'found': found})
    json.dump(logs, sys.stdout)
    """#

  @Test func filtersInTheWildFindWhatTheyFindInFail2ban() throws {
    let directory = try TestDirectory()
    for name in try FileManager.default.contentsOfDirectory(atPath: fixturePath("wild")) {
      try directory.write("filter.d/\(name)", fixture("wild/\(name)"))
    }
    try FileManager.default.createSymbolicLink(
      atPath: directory.path + "/filter.d/common.conf", withDestinationPath: "/etc/fail2ban/filter.d/common.conf")
    let logs = try JSONDecoder().decode([Log].self, from: Reference.python(Self.script, [directory.path, "500"]))
    var lines = 0
    var failures = 0
    for log in logs {
      let name = URL(fileURLWithPath: log.filter).deletingPathExtension().lastPathComponent
      // Names are not looked up: there is no telling what the machine's resolver says.
      let options = name == "nets" ? log.options : log.options.merging(["usedns": "no"]) { $1 }
      let ours = try Program.test(
        log.filter, log.lines, options: options, now: "2024-03-01T18:30:00+01:00", timezone: "Europe/Zurich")
      var compared = 0
      for (number, (line, theirs)) in zip(ours, log.found).enumerated() {
        lines += 1
        guard let theirs else { continue }
        let place: Comment = "\(name)\(log.options) in: \(log.lines[number])"
        guard line.failures.count == theirs.count else {
          Issue.record("\(place): \(line.failures.count) failures for \(theirs.count)")
          continue
        }
        for (mine, other) in zip(line.failures, theirs) {
          compared += 1
          // 192.0.2.0/2 and 192.0.0.0/2 are one network.
          #expect(mine.id == other.id || Subnet(mine.id) != nil && Subnet(mine.id) == Subnet(other.id), place)
          #expect(mine.time == other.time, place)
          #expect(mine.attempts == other.attempts, place)
          if other.users.count > 1 { #expect(mine.users?.sorted() == other.users, place) }
          for (key, text) in other.texts where !["mlfid", "nofail", "content"].contains(key) {
            #expect(mine.texts[key] == text, "\(key) of \(place)")
          }
        }
      }
      #expect(compared >= 20, "\(name)\(log.options) finds too little to tell")
      failures += compared
    }
    #expect(logs.count >= 20)
    print("filters in the wild: \(logs.count) logs, \(lines) lines, \(failures) failures agree")
  }
}
