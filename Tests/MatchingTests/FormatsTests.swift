import Fail2banMatching
import Filters
import Model
import Testing

@testable import Matching

/// logfmt, columns, HAProxy's log, servers' format strings and patterns that split a line; and filters of several formats.
@Suite struct FormatsTests {
  typealias Fields = FieldConditionTests

  /// Each of these fields' first text in a line; nil: it is not read, and why is in `unread`.
  static func fields(
    _ format: LogFormat, _ names: [String], _ line: String, header: [String] = [], unread: Unread? = nil
  ) throws -> [String?]? {
    var wanted = FieldNames([FieldFormat(format)])
    for name in names { _ = try wanted.slots(name, FieldRoles(), Place(file: "", line: 0, column: 0)) }
    let plan = try #require(try FieldPlan([FieldFormat(format)], wanted))
    var table = FieldTable()
    var scratch = MatchScratch()
    var columns = ColumnHeader()
    for line in header {
      #expect(throws: Unread.header) { try plan.read(Array(line.utf8).span, into: &table, &scratch, &columns) }
    }
    let bytes = Array(line.utf8)
    do throws(Unread) { try plan.read(bytes.span, into: &table, &scratch, &columns) } catch {
      #expect(error == unread, "\(line)")
      return nil
    }
    #expect(unread == nil, "\(line)")
    return names.map { name in
      let slot = wanted.slots.firstIndex { $0.name == name }!
      return table.value(slot).map { value in
        table.withText(value, of: bytes.span) { text in
          String(decoding: (0..<text.count).map { text[$0] }, as: UTF8.self)
        }
      }
    }
  }

  @Test func logfmt() throws {
    let names = ["level", "msg", "remote"]
    func read(_ line: String, _ unread: Unread? = nil) throws -> [String?]? {
      try Self.fields(.logfmt, names, line, unread: unread)
    }
    #expect(try read(#"ts=1 level=warn msg="login failed" remote=192.0.2.7"#) == ["warn", "login failed", "192.0.2.7"])
    // In any order, with words in front, with nothing.
    #expect(try read(#"INFO remote=192.0.2.7 msg= level="""#) == [nil, nil, "192.0.2.7"])
    // A client's text ends where its quotes end.
    #expect(
      try read(#"msg="user \"x\" remote=198.51.100.9" remote=192.0.2.7"#)
        == [nil, #"user "x" remote=198.51.100.9"#, "192.0.2.7"])
    // Go's escapes.
    #expect(try read(#"msg="a\tb\x7f\u00e9\U0001f600\\\z" level=x"#) == ["x", "a\tb\u{7F}é😀\\z", nil])
    #expect(try read("remote=192.0.2.7 remote=198.51.100.9", .unbelieved) == nil)
    #expect(try read("remote=192.0.2.7 x=1 x=2") == [nil, nil, "192.0.2.7"])
    #expect(try read(#"msg="open remote=192.0.2.7"#, .unbelieved) == nil)
    #expect(try read(#"msg="a"b remote=192.0.2.7"#, .unbelieved) == nil)
    #expect(try read(#"msg=a"b remote=192.0.2.7"#, .unbelieved) == nil)
    #expect(try read(#"a line "of text" = none"#, .otherFormat) == nil)
    #expect(try read("", .otherFormat) == nil)
  }

  @Test func columnsOfTheSettings() throws {
    let csv = LogFormat.separated(by: UInt8(ascii: ","), columns: ["time", "user", "ip", "note"])
    let names = ["user", "ip", "note"]
    #expect(try Self.fields(csv, names, #"1,"a ""b"", c",192.0.2.7,"#) == [#"a "b", c"#, "192.0.2.7", nil])
    // A separator that a client brought in moves everything.
    #expect(try Self.fields(csv, names, "1,bob,198.51.100.9,192.0.2.7,x", unread: .unbelieved) == nil)
    #expect(try Self.fields(csv, names, "1,bob", unread: .unbelieved) == nil)
    #expect(try Self.fields(csv, names, #"1,"bob,192.0.2.7,"#, unread: .unbelieved) == nil)
    #expect(try Self.fields(csv, names, #"1,"bob"x,192.0.2.7,"#, unread: .unbelieved) == nil)
    let spaces = LogFormat.separated(by: UInt8(ascii: " "), columns: ["ip", "request"])
    #expect(try Self.fields(spaces, ["request"], #"192.0.2.7 "GET / HTTP/1.1""#) == ["GET / HTTP/1.1"])
    #expect(throws: FilterError.self) { try Self.fields(csv, ["address"], "") }
  }

  @Test func columnsOfTheLog() throws {
    let csv = LogFormat.separated(by: UInt8(ascii: ","), columns: [])
    #expect(try Self.fields(csv, ["user", "ip"], "1,bob,192.0.2.7", header: ["time,user,ip"]) == ["bob", "192.0.2.7"])
    #expect(try Self.fields(csv, ["user", "ip"], "1,bob,192.0.2.7", unread: .otherFormat) == nil)
    let tsv = LogFormat.separated(by: UInt8(ascii: "\t"), columns: [])
    #expect(
      try Self.fields(tsv, ["ip"], "bob\t192.0.2.7", header: ["user\tip", "ip\tuser", "user\tip"]) == ["192.0.2.7"])
  }

  /// A line that looks like a header to whoever does not look closely: columns stay where they are.
  @Test(arguments: [
    #"1,bob,192.0.2.7,"x,user,ip,note""#, "1,user,192.0.2.7,ip", "user,ip,2001:db8::7,note", "user,ip,,note",
    "user,ip,-,note",
    #""user,ip",ip,192.0.2.7,user"#,
  ])
  func aClientNamesNoColumns(line: String) throws {
    let filter = try Fields.filter(
      .separated(by: UInt8(ascii: ","), columns: []), [.host: ["ip"], .user: ["user"]],
      [Fields.pattern("failed", ["user": [.equals(["mallory"])]])])
    let text = "time,user,ip,note\n\(line)\n1,mallory,192.0.2.7,198.51.100.9\n"
    for isPrefiltered in [true, false] {
      let found = Fields.scan(filter, Array(text.utf8), isPrefiltered: isPrefiltered).found
      #expect(found.values.map(\.host) == ["192.0.2.7"])
    }
  }

  @Test func namesInQuotes() throws {
    let csv = LogFormat.separated(by: UInt8(ascii: ","), columns: [])
    let header = [#""time","user name","ip""#]
    #expect(try Self.fields(csv, ["user name", "ip"], #"1,"a,b",192.0.2.7"#, header: header) == ["a,b", "192.0.2.7"])
  }

  @Test func w3c() throws {
    let names = ["date_time", "c-ip", "cs(User-Agent)", "sc-status"]
    let header = ["#Version: 1.0", "#Fields: date time c-ip cs(User-Agent) sc-status"]
    #expect(
      try Self.fields(.w3c(columns: []), names, "2026-11-28 04:35:01 192.0.2.7 curl/8 401", header: header)
        == ["2026-11-28 04:35:01Z", "192.0.2.7", "curl/8", "401"])
    // Tabs between values, as CloudFront writes them, and a second header, as after a restart of IIS.
    #expect(
      try Self.fields(
        .w3c(columns: ["x"]), ["c-ip", "sc-status"], "192.0.2.7\t401", header: header + ["#Fields: c-ip sc-status"])
        == ["192.0.2.7", "401"])
    #expect(try Self.fields(.w3c(columns: ["c-ip", "s"]), ["c-ip"], "192.0.2.7 401") == ["192.0.2.7"])
    #expect(try Self.fields(.w3c(columns: []), ["c-ip"], "192.0.2.7 401", unread: .otherFormat) == nil)
    // Zeek.
    #expect(
      try Self.fields(
        .w3c(columns: []), ["ts", "id.orig_h"], "1795840000.5\tC1\t192.0.2.7", header: ["#fields\tts\tuid\tid.orig_h"])
        == ["1795840000.5", "192.0.2.7"])
  }

  /// A filter that learns the columns while it scans with the prefilter, and dates its lines in UTC.
  @Test func aHeaderIsFoundByThePrefilter() throws {
    let filter = try Fields.filter(
      .w3c(columns: []), [.host: ["c-ip"]], [Fields.pattern("denied", ["sc-status": [.equals(["401.1"])]])])
    let text = """
      #Software: Microsoft Internet Information Services 10.0
      #Fields: date time c-ip sc-status
      2026-11-28 04:35:01 192.0.2.7 401.1
      2026-11-28 04:35:02 192.0.2.8 200
      #Fields: date time sc-status c-ip
      2026-11-28 04:35:03 401.1 2001:db8::7

      """
    for isPrefiltered in [true, false] {
      let found = Fields.scan(filter, Array(text.utf8), isPrefiltered: isPrefiltered).found
      #expect(found.values.map(\.host).sorted() == ["192.0.2.7", "2001:db8::7"])
      #expect(found.values.compactMap(\.time).max() == Instant(rfc3339: "2026-11-28T04:35:03Z"))
    }
  }

  @Test func haproxy() throws {
    let names = ["host", "port", "time", "status", "method", "path", "termination"]
    let line =
      #"192.0.2.7:4711 [28/Nov/2026:04:35:01.123] web~ app/srv1 0/0/1/2/3 401 1234 - - ---- 1/1/0/0/0 0/0 {curl/8|x} "GET /a HTTP/1.1""#
    #expect(
      try Self.fields(.haproxy, names, line)
        == ["192.0.2.7", "4711", "28/Nov/2026:04:35:01.123", "401", "GET", "/a", "----"])
    #expect(
      try Self.fields(
        .haproxy, ["host", "status", "request"],
        #"2001:db8::7:4711 [28/Nov/2026:04:35:01.123] web web/<NOSRV> -1/-1/-1/-1/0 400 187 - - PR-- 1/1/0/0/0 0/0 "<BADREQ>""#
      )
        == ["2001:db8::7", "400", "<BADREQ>"])
    #expect(try Self.fields(.haproxy, names, "Proxy web started.", unread: .otherFormat) == nil)
  }

  @Test func nginxFormatStrings() throws {
    func nginx(_ text: String) -> LogFormat {
      .server(ServerFormat(kind: .nginx, text: text, place: Place(file: "", line: 0, column: 0)))
    }
    let names = ["host", "user", "time", "method", "path", "status", "upstream_addr"]
    let settings = """
      log_format main '$remote_addr - $remote_user [$time_local] "$request" '
                      '$status $body_bytes_sent "$http_user_agent" up=${upstream_addr}';
      """
    let line =
      #"192.0.2.7 - al ice [28/Nov/2026:04:35:01 +0000] "GET /\x22x HTTP/1.1" 401 12 "curl" up=10.0.0.1:80"#
    for format in [
      nginx(settings),
      nginx(
        #"$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_user_agent" up=$upstream_addr"#
      ),
    ] {
      #expect(
        try Self.fields(format, names, line)
          == ["192.0.2.7", "al ice", "28/Nov/2026:04:35:01 +0000", "GET", #"/\x22x"#, "401", "10.0.0.1:80"])
    }
    // A client's text without quotes that could be two things.
    let open = nginx("$http_x_real_ip from $remote_addr at $msec")
    #expect(try Self.fields(open, ["host"], "x from 192.0.2.7 at 1795840000.123") == ["192.0.2.7"])
    #expect(
      try Self.fields(
        nginx("$remote_addr $http_a $http_b $status"), ["host", "http_b"], "192.0.2.7 x y z 401", unread: .unbelieved)
        == nil)
    #expect(throws: FilterError.self) { try Self.fields(nginx("$status"), ["status"], "") }
    #expect(throws: FilterError.self) { try Self.fields(nginx("${remote_addr"), ["host"], "") }
    #expect(throws: FilterError.self) { try Self.fields(nginx("$remote_addr"), ["status"], "") }
  }

  @Test func apacheFormatStrings() throws {
    func apache(_ text: String) -> LogFormat {
      .server(ServerFormat(kind: .apache, text: text, place: Place(file: "", line: 0, column: 0)))
    }
    let names = ["vhost", "host", "user", "status", "path", "agent", "x_real_ip"]
    let line =
      #"www:443 192.0.2.7 - alice [28/Nov/2026:04:35:01 +0000] "GET /a b HTTP/1.1" 401 12 "a \"q\"" 198.51.100.9"#
    for text in [
      #"LogFormat "%v:%p %h %l %u %t \"%r\" %>s %O \"%{User-Agent}i\" %{X-Real-IP}i" vhost_combined"#,
      #"%v:%p %h %l %u %t \"%r\" %>s %O \"%{User-Agent}i\" %{X-Real-IP}i"#,
    ] {
      #expect(
        try Self.fields(apache(text), names, line)
          == ["www", "192.0.2.7", "alice", "401", "/a b", #"a \"q\""#, "198.51.100.9"])
    }
  }

  @Test func splitByAPattern() throws {
    func split(_ pattern: String) -> LogFormat {
      .split(SplitFormat(pattern: pattern, place: Place(file: "", line: 0, column: 0)))
    }
    let pattern = #"^\[(?<time>[^\]]+)\] (?<ip>\S+) (?<what>.*)$"#
    #expect(try Self.fields(split(pattern), ["ip", "what"], "[t] 192.0.2.7 no way") == ["192.0.2.7", "no way"])
    #expect(try Self.fields(split(pattern), ["ip"], "something else", unread: .otherFormat) == nil)
    #expect(throws: FilterError.self) { try Self.fields(split(pattern), ["address"], "") }
    #expect(throws: FilterError.self) { try Self.fields(split("("), ["ip"], "") }
  }

  /// One set of patterns for whoever writes the log: each line is read by the first format that it is in.
  @Test func severalFormats() throws {
    let patterns = [
      Fields.pattern("denied", ["status": [.equals(["401"])], "method": [.not([.equals(["OPTIONS"])])]]),
      Fields.pattern("agent", ["agent": [.match("evilbot")]]),
    ]
    let filter = try Filter(
      FilterDefinition(
        name: "t", file: "t.yaml",
        rules: .native(
          NativeRules(
            formats: [
              FieldFormat(.combined),
              FieldFormat(
                .json,
                fields: FieldRoles(names: [
                  .host: ["request.remote_ip"], .method: ["request.method"], .status: ["status"], .time: ["ts"],
                ])), FieldFormat(.haproxy),
            ], patterns: patterns))))
    let text = #"""
      192.0.2.1 - - [28/Nov/2026:04:35:01 +0000] "GET / HTTP/1.1" 401 12 "-" "curl"
      192.0.2.1 - - [28/Nov/2026:04:35:01 +0000] "OPTIONS / HTTP/1.1" 401 12 "-" "curl"
      192.0.2.2 - - [28/Nov/2026:04:35:01 +0000] "GET / HTTP/1.1" 200 12 "-" "evilbot"
      {"status":401,"ts":1795840501.5,"host":"198.51.100.9","request":{"remote_ip":"192.0.2.3","method":"GET"}}
      {"status":401,"host":"198.51.100.9"}
      192.0.2.4:4711 [28/Nov/2026:04:35:01.123] web~ app/srv1 0/0/1/2/3 401 1234 - - ---- 1/1/0/0/0 0/0 "GET / HTTP/1.1"
      some text with 401 and evilbot from 192.0.2.9

      """#
    for isPrefiltered in [true, false] {
      let (found, counts) = Fields.scan(filter, Array(text.utf8), isPrefiltered: isPrefiltered)
      #expect(
        found.sorted { $0.key < $1.key }.map { "\($0.value.pattern) \($0.value.host)" } == [
          "0 192.0.2.1", "1 192.0.2.2", "0 192.0.2.3", "0 192.0.2.4",
        ])
      #expect(found.values.allSatisfy { $0.time != nil })
      #expect(counts.otherFormat == 1)
    }
  }

  /// Every format must say who the client is.
  @Test func aFormatWithoutAHost() throws {
    #expect(throws: FilterError.self) {
      try Filter(
        FilterDefinition(
          name: "t", file: "t.yaml",
          rules: .native(
            NativeRules(
              formats: [FieldFormat(.combined), FieldFormat(.json)],
              patterns: [Fields.pattern("denied", ["status": [.equals(["401"])]])]))))
    }
  }
}
