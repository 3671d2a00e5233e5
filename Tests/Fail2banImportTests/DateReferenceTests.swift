import Fail2banImport
import Fail2banMatching
import Filters
import Foundation
import Model
import Testing

@testable import Fail2banMatching
@testable import Matching

/// fail2ban's own date detector and ours read the same lines under the same datepatterns, one after the other, because which
/// template is tried first depends on the lines before: the same bytes must be cut out, and mean the same time.
struct DateReferenceTests {
  struct Log: Decodable {
    var pattern: String?
    var zone: String?
    var lines: [String]
    var found: [Found]
  }

  struct Found: Decodable, Equatable {
    /// What group 1 spans, in bytes; nil where no date was found.
    var start: Int?
    var end: Int?
    /// Nil where the date does not exist.
    var time: Double?
    /// fail2ban failed with an error of its own.
    var failed: Bool
  }

  /// 18:30 in Berlin.
  static let now = Instant(seconds: 1_709_314_200)

  static let script = #"""
    import glob, json, os, random, re, sys, time
    os.environ['TZ'] = 'Europe/Berlin'
    time.tzset()
    from fail2ban.client.filterreader import FilterReader
    from fail2ban.server.datedetector import DateDetector
    from fail2ban.server.mytime import MyTime
    MyTime.setTime(1709314200)
    patterns = {None}
    for path in glob.glob('/etc/fail2ban/filter.d/*.conf'):
        name = os.path.basename(path)[:-5]
        reader = FilterReader(name, 'jail', {}, basedir='/etc/fail2ban')
        reader.read()
        if not reader.has_section('Definition'): continue
        try: reader.getOptions(None)
        except Exception: continue
        patterns.add(reader.getCombined().get('datepattern'))
    patterns |= {'%Y-%m-%d %H:%M', '%d.%m.%y %I:%M:%S %p', '%b %d %H:%M:%S %Z', '%B %d %Y %H:%M', '%Y %j %H:%M:%S', '%Y week %U %a',
                 '%Y week %W %A', '{UNB}%H:%M:%S', 'LEPOCH', '{^LN-BEG}LEPOCH', 'at {LEPOCH}ms', 'x{EPOCH}y', 'ts=(%Y-%m-%d)T%H:%M',
                 '%c', '%x %X', '**%H:%M**', '^%H:%M:%S$', '%d/%b/%Y:%H:%M:%S %Exz', '%ExZ %Y-%m-%d %k:%M', '%l:%M:%S %p',
                 '%H:%M:%S$', '%m-%d %H:%M', '{NONE}', 'TAI64N', '^TAI64N', '%d %b %y %Exk%ExM', 'EPOCH', '(?i)date: (%Y-%m-%d)',
                 '%Y-%m-%d %H:%M:%S\n{^LN-BEG}', 'stamp: {DATE}', r'\[({DATE})\]', '%y%m%d', '%w %H:%M:%S'}
    stamps = ['2024-03-05 06:07:08', '2023-12-31T23:59:59Z', '2024-03-05T06:07:08.123456+02:00', '2024-03-05 06:07:08,123 -0730',
              'Mar  5 06:07:08', 'Feb 29 12:00:00', 'Mar  2 18:30:01', 'Mar  2 18:29:59', 'Tue Mar 05 06:07:08 2024',
              'Tue Mar 05 06:07:08.123 2024', 'Tue Mar 05 2024 06:07:08', 'mar 5 6:07:08', '05/Mar/2024:06:07:08 +0100',
              '26-Jul-2007 15:20:52.252', '31/Feb/2020:01:02:03', '05/20/2008:01:57:39', '23/01/2005 21:59:59', '23/01/05 21:59:59',
              '01-27-2012 16:22:44.252', '1709618828', '[1709618828.123]', 'audit(1709618828.123:99)', '17096188281', '1709618828123',
              '1709618828123456', '@4000000065e6aa8c00000000', '06:07:08', '23:59:59', '29:30:00', '240305 06:07:08', '240305  6:07:08',
              'Mar 05, 2024 06:07:08 PM', 'Mar 05, 2024 12:07:08 AM', 'Apr-27-13 02:33:06', '<09/16/08@05:03:30>', '20240305T060708Z',
              '20240305  60708', '2024/03/05  6:07:08', '2006.12.21 06:43:20', 'PDT Apr 16 11:05:29', 'CEST Apr 16 21:05:29',
              '+0530 Jan 23 21:59:59', 'Z Jan 23 21:59:59 2005', 'UTC Jan 23 21:59:59 2005', '2024-02-30 12:00:00', '2024 060 12:00:00',
              '2024 week 09 Tue', '2024 week 00 Sunday', '2023 week 52 Saturday', 'March 05 2024 06:07', '05.03.24 06:07:08 pm',
              'at 1709618828123ms', 'x1709618828.5555y', 'ts=2024-03-05T06:07', '03/05/24 06:07:08', '11:59:59 am', 'CET 2024-03-05  6:07',
              'date: 2024-03-05', 'stamp: 2024-03-05 06:07:08', '5 Mar 24 0607', '3 12:13:14', '2024-03-31 02:30:00']
    before = ['', '', '', '[', '<', ' ', '(', 'host ', '192.0.2.1 - - [', 'x', '<13>1 ', '0', '\u00e9\u2028', 'error ', 'time="', 'I(', 'W ']
    after = ['', ' host sshd[1]: text', '] text', '>', ': text', 'x', '7', ' 2024', ' +0100', '.5', '\u00e9', '" end', ' text 10:11:12 more']
    zones = [None, None, None, 'UTC+0200', 'CET', '-0500', 'GMT', 'EST5', 'Z']
    logs = []
    for number, pattern in enumerate(sorted(patterns, key=str)):
        dice = random.Random(number)
        for zone in zones[:1] + [dice.choice(zones[3:])]:
            detector = DateDetector()
            try: detector.default_tz = zone
            except ValueError: continue
            for line in re.split('\n+', pattern) if pattern else []:
                if line.strip(): detector.appendTemplate(line.strip())
            # Templates are shared by all of its detectors, with their counts; each log shall begin anew.
            for template in list(DateDetector._defCache.templates) + [t.template for t in detector.templates]: template.hits = 0
            lines, found = [], []
            # Where a year or a day is missing, fail2ban compares times of two zones with each other.
            usable = [s for s in stamps if not zone or re.search(r'(?<!\d)20\d\d|\d{10}|@', s)]
            few = [dice.choice(usable) for _ in range(6)]
            for _ in range(400):
                line = dice.choice(before) + dice.choice(few if dice.random() < .5 else usable) + dice.choice(after)
                if dice.random() < .1: line = dice.choice(before) + line
                if dice.random() < .1: line += ' ' + dice.choice(usable) + dice.choice(after)
                if dice.random() < .05: line = 'no date here ' + dice.choice(after)
                lines.append(line)
                result = {'start': None, 'end': None, 'time': None, 'failed': False}
                try:
                    match = detector.matchTime(line)
                    if match[0]:
                        result['start'] = len(line[:match[0].start(1)].encode())
                        result['end'] = len(line[:match[0].end(1)].encode())
                        date = detector.getTime(match[0].group(1), match)
                        result['time'] = date and date[0]
                except Exception: result['failed'] = True
                found.append(result)
            logs.append({'pattern': pattern, 'zone': zone, 'lines': lines, 'found': found})
    json.dump(logs, sys.stdout)
    """#

  @Test func theSameDatesAreFound() throws {
    let logs = try JSONDecoder().decode([Log].self, from: Reference.python(Self.script))
    var lines = 0
    var dates = 0
    for log in logs {
      let filter = try Fail2banFilter(
        Fail2banRules(failregex: ["<HOST>"], datepattern: log.pattern, logtimezone: log.zone), name: "dates", file: "")
      var detector = Fail2banDates(filter.templates, zone: filter.zone)
      var clock = LogClock(now: Self.now, zone: try #require(ZoneOffsets(name: "Europe/Berlin")))
      var scratch = MatchScratch()
      for (line, theirs) in zip(log.lines, log.found) {
        var ours = Found(start: nil, end: nil, time: nil, failed: false)
        let text = Array(line.utf8)
        if let found = detector.find(text.span, isASCII: false, now: clock.now, &scratch) {
          ours.start = found.cut.lowerBound
          ours.end = found.cut.upperBound
          ours.time = detector.read(found, text.span, &clock, scratch)?.epoch
        }
        lines += 1
        dates += theirs.time == nil ? 0 : 1
        if !Self.isSame(ours, theirs) {
          Issue.record("\(log.pattern ?? "default") \(log.zone ?? ""): \(ours) for \(theirs) in: \(line)")
          // What follows depends on this.
          break
        }
      }
    }
    #expect(dates > 4000)
    print("dates: \(logs.count) logs, \(lines) lines, \(dates) dates")
  }

  private static func isSame(_ ours: Found, _ theirs: Found) -> Bool {
    // An unknown zone, say, ends fail2ban's reading with an error; there is nothing to compare but the place.
    if theirs.failed { return theirs.start == nil || ours.start == theirs.start }
    return ours.start == theirs.start && ours.end == theirs.end && ours.time == theirs.time
  }
}
