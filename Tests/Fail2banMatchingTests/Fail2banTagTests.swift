import Filters
import Testing

@testable import Fail2banMatching
@testable import Matching

/// fail2ban's tags and Python's patterns, as PCRE2 gets them.
struct Fail2banTagTests {
  @Test(arguments: [
    ("<F-USER>\\S+</F-USER>", "(?P<user>\\S+)"),
    ("<F-ID>x</F-ID> <F-PORT/>", "(?P<fid>x) (?P<fport>\\w+)"),
    ("<F-ID/>", "(?P<fid>\\S+)"),
    ("<F-ALT_USER1>a</F-ALT_USER1>", "(?P<alt_user1>a)"),
    ("<CIDR>", "(?P<cidr>[0-9]+)"),
    ("a<SKIPLINES>b<SKIPLINES>", "a\\n(?P<skiplines0>(?:(?:.*\\n)*?))b\\n(?P<skiplines1>(?:(?:.*\\n)*?))"),
    // Not tags, but the log's own text.
    ("<SECURITY_LOG>: (?P<x><W>)", "<SECURITY_LOG>: (?P<x><W>)"),
    ("a < b > <c d>", "a < b > <c d>"),
  ])
  func expands(_ expression: String, _ expected: String) throws {
    #expect(try TagExpansion.expand(expression, usedns: .warn) == expected)
  }

  @Test func hostIsAnAddressOnlyWhereNamesAreNotAsked() throws {
    #expect(try TagExpansion.expand("<HOST>", usedns: .warn).contains("(?P<dns>"))
    #expect(try TagExpansion.expand("<HOST>", usedns: .no) == TagExpansion.expand("<ADDR>", usedns: .no))
  }

  @Test(arguments: [
    ("x</F-USER>", "</F-USER> closes a tag that was not opened before it"),
    ("<F-user>x</F-user>", "<F-user> is not a tag: names are written in capitals, as in <F-USER>…</F-USER>"),
    ("<F-USER/>", "<F-USER/> is not a tag: names are written in capitals, as in <F-USER>…</F-USER>"),
  ])
  func refuses(_ expression: String, _ reason: String) {
    let error = #expect(throws: TagExpansion.Failure.self) { try TagExpansion.expand(expression, usedns: .warn) }
    #expect(error?.reason == reason)
  }

  @Test(arguments: [
    ("a{,3}b", "a{0,3}b"),
    ("a{,}b", "a{0,}b"),
    ("a\\{,3}", "a\\{,3}"),
    ("[{,3}]", "[{,3}]"),
    ("x{,n}", "x{,n}"),
    ("end\\Z", "end\\z"),
    ("\\\\Z", "\\\\Z"),
    ("((?i)abc)", "(?i:abc)"),
    ("(?:(?i)abc)", "(?i:abc)"),
    ("(?iu)abc", "(?i)abc"),
    ("(?u)abc", "abc"),
    ("[[:alpha:]x]", "[\\[:alpha:]x]"),
    ("[]a[]", "[]a[]"),
    ("\\u00e9\\U0001F600", "\\x{00e9}\\x{0001F600}"),
    ("(?P<a>x)?(?(a)y|z)", "(?P<a>x)?(?(<a>)y|z)"),
    ("(x)?(?(1)y|z)", "(x)?(?(1)y|z)"),
    ("(?P<a>x)(?P=a)", "(?P<a>x)(?P=a)"),
    ("(?<=a)(?<!b)(?<c>d)", "(?<=a)(?<!b)(?<c>d)"),
    ("a\\", "a\\"),
  ])
  func translates(_ python: String, _ pcre2: String) {
    #expect(PythonPattern(python).text == pcre2)
  }

  @Test func longNamesAreShortenedEverywhereAlike() throws {
    let name = "a_name_that_is_longer_than_thirty_two_bytes"
    let python = PythonPattern("(?P<\(name)>x)(?P=\(name))(?(\(name))y)")
    #expect(python.longNames.values.sorted() == [name])
    let pattern = try Pattern(python.text)
    #expect(pattern.names.count == 1)
    #expect(python.longNames[pattern.names[0].name] == name)
  }
}
