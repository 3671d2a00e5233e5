import Fail2banImport
import Fail2banMatching
import Filters
import Foundation
import Matching
import Model
import TestSupport
import Testing

/// `fail2ban-regex` itself and our matcher read the same logs: fail2ban's sample lines, as they are and changed at random (other
/// hosts, other dates, broken characters, cut and doubled words). Line by line the same ones must match, with the same id,
/// user and time. Where we differ on purpose, the logs are made so that it does not show; docs/fail2ban-differences.md says why.
struct DifferenceTests {
  struct Log: Decodable {
    var filter: String
    var options: [String: String]
    /// Base64, because lines need not be UTF-8.
    var lines: [String]
    /// What `fail2ban-regex -o row` printed, in order.
    var rows: [Row]
    /// The numbers of the lines that it called matched; nil for filters over several lines, where it also names others.
    var matched: [Int]?
  }

  struct Row: Decodable, Equatable {
    var id: String
    var time: Double?
    var user: String?
  }

  /// Filters with sessions, prefixes, content, dates inside the line, several date patterns, several lines, ignoreregex.
  static let filters = [
    "apache-auth", "apache-badbots", "asterisk", "courier-auth", "dovecot", "dropbear", "exim", "freeswitch",
    "guacamole",
    "haproxy-http-auth", "lighttpd-auth", "mysqld-auth", "named-refused", "nginx-http-auth", "nsd", "openhab",
    "pam-generic", "postfix", "proftpd", "recidive", "sendmail-auth", "sendmail-reject", "slapd", "sshd", "vsftpd",
  ]

  /// Real logs, by the filters that read them.
  static let logs = [
    ("sshd", "truth/sshd"), ("sshd", "truth/sshd10"), ("sshd", "truth/sshd_repeated"), ("sshd", "hostile/sshd"),
    ("postfix", "truth/postfix"), ("postfix", "truth/postfix.rfc5424"), ("postfix", "hostile/postfix"),
    ("dovecot", "truth/dovecot"), ("dovecot", "truth/dovecot24"), ("dovecot", "hostile/dovecot"),
    ("exim", "truth/exim"), ("exim", "truth/exim.reject"), ("exim-spam", "truth/exim.reject"), ("exim", "hostile/exim"),
    ("vsftpd", "truth/vsftpd"), ("vsftpd", "truth/vsftpd.syslog"), ("vsftpd", "hostile/ftp"),
    ("proftpd", "truth/proftpd"), ("proftpd", "truth/proftpd.auth"), ("proftpd", "hostile/ftp"),
    ("dropbear", "truth/dropbear"), ("pam-generic", "truth/pam"), ("pam-generic", "hostile/pam"),
    ("nginx-http-auth", "truth/nginx.error"), ("nginx-http-auth", "hostile/nginx"),
    ("nginx-http-auth", "truth/nginx_forged"), ("nginx-botsearch", "truth/nginx"), ("nginx-bad-request", "truth/nginx"),
    ("nginx-limit-req", "truth/nginx.error"), ("apache-auth", "truth/apache.error"), ("apache-auth", "hostile/web"),
    ("apache-badbots", "truth/apache"), ("apache-modsecurity", "truth/apache.on.error"),
    ("apache-noscript", "truth/apache.error"), ("apache-overflows", "truth/apache.error"),
  ]

  static let script = #"""
    import ast, base64, concurrent.futures, fail2ban, json, os, random, re, subprocess, sys
    os.environ['TZ'] = 'Europe/Berlin'
    directory, names, rounds = sys.argv[1], sys.argv[2].split(','), int(sys.argv[3])
    samples = os.path.join(os.path.dirname(fail2ban.__file__), 'tests/files/logs')
    modes = {'sshd': [{}, {'mode': 'aggressive'}], 'postfix': [{}, {'mode': 'aggressive'}], 'dovecot': [{}, {'mode': 'aggressive'}]}
    hosts = [b'2001:db8::7', b'[2001:db8::7]', b'::ffff:192.0.2.9', b'host.example.com', b'999.1.2.3', b'192.0.2.44:587',
             b'[192.0.2.5]', b'fe80::1%eth0', b'::1', b'198.51.100.255']
    oddities = [b'\xff', b'\xc3', b'\xc3\xa9', b'\xe2\x82', b'\xf0\x9f\x98\x80', b'\xed\xa0\x80', b'\x00', b'"', b"'", b'\t', b' ',
                b'%', b'\\', b'<', b'>', b'[', b']', b'(', b')', b'$', b'0', b'a']
    stamps = [b'2024-03-05 06:07:08', b'2024-03-05T06:07:08.123456+02:00', b'Mar  5 06:07:08', b'Tue Mar 05 06:07:08 2024',
              b'05/Mar/2024:06:07:08 +0100', b'1709618828', b'[1709618828.123]', b'05-03-2024 06:07:08', b'20240305T060708Z',
              b'@4000000065e6aa8c00000000', b'06:07:08', b'Mar 31 02:30:00', b'Feb 29 12:00:00', b'2024-02-30 12:00:00',
              b'Mar 05, 2024 06:07:08 PM', b'240305 06:07:08', b'2024/03/05  6:07:08', b'']
    date = re.compile(rb'\w{3} +\d+ (?:\d{4} )?\d\d:\d\d:\d\d(?: \d{4})?|\d{4}[-/.]\d\d[-/.]\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:[+-]\d\d:?\d\d)?|\d\d/\w{3}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}')

    # Sessions end with log time here, with the wall clock there, and here another address begins a new one. So both stay.
    sessions = {'sshd', 'sendmail-auth', 'sendmail-reject'}

    def change(line, dice, lasting):
        for _ in range(dice.choice([1, 1, 1, 2, 3])):
            kind, at = dice.randrange(9), dice.randrange(len(line) + 1)
            if kind in (0, 4, 5, 6) and lasting: continue
            if kind == 0: line = re.sub(rb'(?:\d{1,3}\.){3}\d{1,3}', lambda m: dice.choice(hosts), line, count=dice.choice([1, 2]))
            elif kind == 1: line = line[:at]
            elif kind in (2, 3): line = line[:at] + dice.choice(oddities) + line[at + dice.choice([0, 1]):]
            elif kind in (4, 5): line = date.sub(lambda m: dice.choice(stamps), line, count=1)
            elif kind == 6: line = line[:at] + b' ' + dice.choice(stamps) + b' ' + line[at:]
            elif kind == 7:
                words = line.split(b' ')
                words.insert(dice.randrange(len(words)), dice.choice(words))
                line = b' '.join(words)
            else: line = line[:at] + line[at:].swapcase()
        return line.replace(b'\n', b'')

    address = rb'(?:\d{1,3}\.){3}\d{1,3}'

    def ofOneHost(lines):
        hosts = {}
        def fits(line):
            process, host = re.search(rb'\[\d+\]', line), re.search(address, line)
            return not process or not host or hosts.setdefault(process.group(), host.group()) == host.group()
        return [line for line in lines if fits(line)]

    def changed(lines, dice, lasting):
        line = dice.choice(lines)
        other = change(line, dice, lasting)
        kept = re.findall(address, other) == re.findall(address, line) and other[:20] == line[:20]
        return other if kept or not lasting else line

    def run(path, filter, *more):
        done = subprocess.run(['fail2ban-regex', '--raw', '--no-check-all', *more, path, filter], capture_output=True)
        assert b'Traceback' not in done.stderr + done.stdout, (filter, done.stderr[-300:])
        return done.stdout

    def compare(task):
        """What fail2ban-regex makes of the lines under each of the filter's option sets."""
        number, name, lines = task
        logs = []
        lines = [l for l in lines if l.strip() and not l.startswith(b'#') and not l.endswith(b'\r')]
        # A word in capitals before a date is a zone to it, and an unknown zone is its end.
        lines = [l for l in lines if not re.search(rb'(?<![a-z])[A-Z]{3,5} (?:\w{3} )?\w{3} +\d', l)]
        # Every line once, so that what is printed says which it was.
        lines = list(dict.fromkeys(lines))
        path = os.path.join(directory, '%d.log' % number)
        open(path, 'wb').write(b'\n'.join(lines) + b'\n')
        for options in modes.get(name, [{}]):
            filter = name + ('[%s]' % ','.join('%s=%s' % o for o in options.items()) if options else '')
            rows = []
            for row in run(path, filter, '--out', 'row').decode('utf-8', 'surrogateescape').split('\n'):
                if not row.startswith('['): continue
                id, time, fields = ast.literal_eval(row.rstrip(',').replace('\t', ' '))
                rows.append({'id': str(id), 'time': time, 'user': fields.get('user')})
            shown = run(path, filter, '--print-all-matched', '--print-no-missed', '--print-no-ignored')
            shown = shown.decode('utf-8', 'replace').split('\n')
            matched = []
            if '|- Matched line(s):' in shown:
                start = shown.index('|- Matched line(s):') + 1
                texts = [l[3:] for l in shown[start:shown.index('`-', start)]]
                places = {}
                for number, line in enumerate(lines): places.setdefault(line.decode('utf-8', 'replace').rstrip(), []).append(number)
                matched = [places[text].pop(0) for text in texts if places.get(text)]
            config = open('/etc/fail2ban/filter.d/%s.conf' % name).read()
            if re.search(r'(?m)^maxlines *= *([2-9]|\d\d)', config): matched = None
            logs.append({'filter': name, 'options': options, 'lines': [base64.b64encode(l).decode() for l in lines],
                         'rows': rows, 'matched': matched})
        return logs

    tasks = []
    if rounds:
        for name in names:
            dice = random.Random(name)
            lines = [l.rstrip(b'\r\n') for l in open(os.path.join(samples, name), 'rb')]
            lines = [l for l in lines if l.strip() and not l.startswith(b'#')]
            if name in sessions: lines = ofOneHost(lines)
            tasks.append((name, lines + [changed(lines, dice, name in sessions) for _ in range(rounds)]))
    else:
        for pair in names:
            name, file = pair.split(':')
            entries = [json.loads(l) for l in open(file, encoding='utf-8')]
            # Each entry is a process of its own.
            lines = [re.sub(r'\[812\]', '[%d]' % (1000 + number), l).encode('utf-8', 'surrogateescape')
                     for number, e in enumerate(entries) for l in e.get('lines') or [e['line']]]
            # Lines without a process are one session, in which another family's address is another session's here only.
            if name in sessions: lines = [l for l in lines if not re.search(rb' sshd: .* rhost=[0-9a-f]*:', l)]
            tasks.append((name, lines))
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        found = pool.map(compare, [(number, *task) for number, task in enumerate(tasks)])
        json.dump([log for logs in found for log in logs], sys.stdout)
    """#

  @Test func theSameLinesOfChangedSamplesMatch() throws {
    let environment = ProcessInfo.processInfo.environment
    let filters = environment["FAIL2BAN_FILTERS"].map { $0.split(separator: ",").map(String.init) } ?? Self.filters
    let failures = try compare(filters, rounds: environment["FAIL2BAN_ROUNDS"] ?? "400")
    #expect(failures > 1000)
  }

  /// What real daemons wrote when they were abused, and what attackers could make them write.
  @Test func theSameLinesOfRealLogsMatch() throws {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent("fixtures").path
    let failures = try compare(Self.logs.map { "\($0.0):\(root)/\($0.1).jsonl" }, rounds: "0")
    #expect(failures > 300)
  }

  private func compare(_ filters: [String], rounds: String) throws -> Int {
    let directory = try TestDirectory()
    let logs = try JSONDecoder().decode(
      [Log].self, from: Reference.python(Self.script, [directory.path, filters.joined(separator: ","), rounds]))
    var lines = 0
    var failures = 0
    var differences = 0
    for log in logs {
      let found = try Self.differences(log)
      for difference in found { Issue.record("\(log.filter)\(log.options): \(difference)") }
      lines += log.lines.count
      failures += log.rows.count
      differences += found.count
    }
    print("fail2ban-regex: \(logs.count) logs, \(lines) lines, \(failures) failures, \(differences) differences")
    return failures
  }

  static func differences(_ log: Log) throws -> [String] {
    let definition = try FilterTranslation.loadFilter(path: log.filter, options: log.options)
    guard case .fail2ban(let rules) = definition.rules else { return ["not a fail2ban filter"] }
    let matcher = Fail2banMatcher(try Fail2banFilter(rules, name: log.filter, file: definition.file))
    var clock = LogClock(
      now: Instant(epoch: Date().timeIntervalSince1970), zone: try #require(ZoneOffsets(name: "Europe/Berlin")))
    var ours: [(line: Int, row: Row)] = []
    var matched: [Int] = []
    let lines = log.lines.map { Array(Data(base64Encoded: $0) ?? Data()) }
    for (number, line) in lines.enumerated() {
      let outcome = matcher.tryLine(line.span, clock: &clock) { failure in
        let user = failure.user.map { String(decoding: $0, as: UTF8.self) }
        ours.append(
          (number, Row(id: failure.id, time: failure.isDated ? failure.time.epoch : nil, user: user)))
      }
      if outcome == .failure || outcome == .pending { matched.append(number) }
    }
    func text(_ number: Int) -> String { String(decoding: lines[number], as: UTF8.self) }
    var found: [String] = []
    if let theirs = log.matched {
      for number in Set(theirs).symmetricDifference(matched).sorted() {
        found.append("\(theirs.contains(number) ? "fail2ban" : "only we") matched line \(number): \(text(number))")
      }
    }
    guard found.isEmpty else { return found }
    if ours.count != log.rows.count { found.append("\(ours.count) failures for \(log.rows.count)") }
    // One that is missing shifts all that follow: the first difference says what there is to say.
    if let ((number, mine), theirs) = zip(ours, log.rows).first(where: { !isSame($0.row, $1) }) {
      found.append("\(mine) for \(theirs) in line \(number): \(text(number))")
    }
    return found
  }

  private static func isSame(_ mine: Row, _ theirs: Row) -> Bool {
    // ::0.1.85.67 and ::1:5543 are one address.
    if mine.id != theirs.id, Address(mine.id) == nil || Address(mine.id) != Address(theirs.id) { return false }
    if mine.user != theirs.user { return false }
    guard let time = mine.time, let other = theirs.time else { return true }
    return time == other
  }
}
