import Fail2banImport
import Filters
import Foundation
import TestSupport
import Testing

struct FilterTranslationTests {
  private func load(_ name: String, _ options: [String: String] = [:], journal: Bool = false) throws -> Fail2banRules {
    let filter = try FilterTranslation.loadFilter(
      path: name, options: options, journal: journal, directory: fixturePath("filter.d"))
    guard case .fail2ban(let rules) = filter.rules else { throw Unexpected() }
    return rules
  }

  private struct Unexpected: Error {}

  @Test func commentsAndContinuations() throws {
    let filter = try FilterTranslation.loadFilter(path: fixturePath("filter.d/comments.conf"))
    #expect(filter.name == "comments")
    #expect(filter.file == fixturePath("filter.d/comments.conf"))
    #expect(
      filter.rules
        == .fail2ban(
          Fail2banRules(
            failregex: [
              "^first <HOST>$", "^second;not a comment <HOST>", ##"^third <HOST> \#1"##,
              "^fourth = with : signs <HOST>",
            ],
            ignoreregex: ["^colon <HOST>"], maxlines: 3)))
    #expect(
      filter.journalmatch == [#"_SYSTEMD_UNIT=one.service "MESSAGE=two words""#, "_COMM=one", "_COMM=three"])
  }

  @Test func includesComeBeforeAndAfterAndLocalFilesWin() throws {
    let rules = try load("includes")
    #expect(rules.failregex == ["^local, then own kept by the filter of the shared section after all <HOST>"])
    #expect(rules.ignoreregex == ["local, then own"])
    #expect(rules.prefregex == #"^shared local prefix:\s+<F-CONTENT>.*</F-CONTENT>$"#)
  }

  @Test func tagsAreReplacedAgainAndAgain() throws {
    let rules = try load("tags")
    #expect(
      rules.failregex == [
        #"^file \S+ plain <HOST>"#, #"some other <HOST> <F-USER>\S+</F-USER> (?P<name>x) <unknown> 100%"#,
        "all of plain <HOST>", #"and hard \S+ <HOST>"#,
      ])
  }

  @Test func optionsOfTheJailComeFirst() throws {
    #expect(try load("precedence").failregex == ["^definition <HOST> definition's init's"])
    #expect(try load("precedence").datepattern == "init")
    let rules = try load("precedence", ["word": "jail's", "datepattern": "jail", "ignoreregex": "^jail"])
    #expect(rules.failregex == ["^definition <HOST> jail's jail's"])
    #expect(rules.datepattern == "jail")
    #expect(rules.ignoreregex == ["^jail"])
  }

  @Test func theJailSetsWhatOnlyJailsHave() throws {
    let rules = try load(
      "precedence", ["usedns": "raw", "logtimezone": "Europe/Berlin", "logencoding": "latin-1", "maxlines": "12"])
    #expect(rules.usedns == .raw)
    #expect(rules.logtimezone == "Europe/Berlin")
    #expect(rules.logencoding == "latin-1")
    #expect(rules.maxlines == 12)
  }

  @Test func theJournalIsALogtype() throws {
    #expect(try load("tags", journal: true).failregex[0] == #"^file \S+ in the journal plain <HOST>"#)
    #expect(try load("tags", ["logtype": "journal"]).failregex[0] == #"^file \S+ in the journal plain <HOST>"#)
    #expect(try load("tags", ["logtype": "file"], journal: true).failregex[0] == #"^file \S+ plain <HOST>"#)
  }

  @Test func theFilesOfADirectoryJoinTheirFilter() throws {
    let directory = try TestDirectory()
    try directory.write("a.conf", "[Definition]\nfailregex = ^a <HOST>\nmaxlines = 1\n")
    try directory.write("a.d/2.conf", "[Definition]\nmaxlines = 3\n")
    try directory.write("a.d/1.conf", "[Definition]\nmaxlines = 2\nprefregex = one\n")
    try directory.write("a.local", "[Definition]\nfailregex = %(known/failregex)s local\n")
    try directory.write("a.d/.hidden.conf", "[Definition]\nmaxlines = 9\n")
    let filter = try FilterTranslation.loadFilter(path: directory.path + "/a.conf")
    #expect(filter.rules == .fail2ban(Fail2banRules(prefregex: "one", failregex: ["^a <HOST> local"], maxlines: 3)))
  }

  /// `fixtures/fail2ban/bad`: each file, and what must be said about it; `DIR` represents the directory.
  @Test(arguments: [
    (
      "loop",
      "DIR/loop-b.conf:2: [INCLUDES] after: the includes run in a loop: "
        + "DIR/loop.conf → DIR/loop-b.conf → DIR/loop.conf; remove one of them"
    ),
    (
      "own-loop",
      "DIR/own-loop.conf:2: [INCLUDES] before: the includes run in a loop: "
        + "DIR/own-loop.conf → DIR/own-loop.conf; remove one of them"
    ),
    (
      "undefined",
      "DIR/undefined.conf:4: [Definition] failregex: `%(_missing)s` is not defined; set `_missing` in this "
        + "section or in [DEFAULT] (included, but not there: DIR/misspelt.conf)"
    ),
    (
      "undefined-section",
      "DIR/undefined-section.conf:2: [Definition] failregex: `%(lt_file/_missing)s` is not defined; "
        + "set `_missing` in section [lt_file]"
    ),
    (
      "undefined-known",
      "DIR/undefined-known.conf:2: [Definition] failregex: `%(known/failregex)s` is not defined; "
        + "set `failregex` in a file that is read earlier"
    ),
    (
      "recursion",
      "DIR/recursion.conf:4: [Definition] failregex: the interpolation is deeper than 10; does an option "
        + "refer to itself?"
    ),
    (
      "tag-recursion",
      "DIR/tag-recursion.conf:4: [Definition] failregex: `<_a>` leads back to itself; a tag must not "
        + "contain its own option"
    ),
    (
      "tag-itself",
      "DIR/tag-itself.conf:2: [Definition] failregex: `<failregex>` leads back to itself; a tag must not "
        + "contain its own option"
    ),
    (
      "doubling",
      "DIR/doubling.conf:9: [Definition] failregex: the value grows past 1048576 bytes; do options double "
        + "each other?"
    ),
    (
      "percent",
      "DIR/percent.conf:2: [Definition] failregex: `%` stands alone; write `%%` for a percent sign, `%(name)s` "
        + "for an option's value"
    ),
    (
      "unclosed",
      "DIR/unclosed.conf:2: [Definition] failregex: `%(` without `)s`; write `%(name)s`, or `%%(` for the "
        + "characters themselves"
    ),
    (
      "option-twice",
      "DIR/option-twice.conf:4: [Definition] failregex: the option stands twice in this section, first on "
        + "line 2; remove one"
    ),
    ("section-twice", "DIR/section-twice.conf:4: [Definition] the section stands twice in this file; merge the two"),
    (
      "no-section",
      "DIR/no-section.conf:2: an option before the first section; put a header such as [Definition] above "
        + "it"
    ),
    (
      "no-value",
      "DIR/no-value.conf:3: [Definition] neither a section nor `option = value`; indent the line if it "
        + "continues the one above"
    ),
    ("no-definition", "DIR/no-definition.conf: [Definition] the section is missing; is this a filter?"),
    (
      "tag-slip",
      "DIR/tag-slip.conf:3: [Definition] failregex: the tag `<HSOT>` does not exist; write `<HOST>`, or "
        + #"`\<HSOT>` where the log says so"#
    ),
    (
      "unknown-tag",
      "DIR/unknown-tag.conf:3: [Definition] failregex: there is neither a tag nor an option `<NOSUCH>`; set `NOSUCH`, or "
        + #"write `\<NOSUCH>` where the log says so"#
    ),
    (
      "mode",
      "DIR/mode.conf:2: [Definition] failregex: `<mdre-agressive>` is not defined; there is <mdre-normal>, "
        + "<mdre-aggressive>"
    ),
    ("maxlines", "DIR/maxlines.conf:4: [Init] maxlines: `many` is not a number of lines; write 1 or more"),
    ("usedns", "DIR/usedns.conf:3: [Definition] usedns: `maybe` is none of yes, warn, no, raw"),
    ("journalmatch", "DIR/journalmatch.conf:3: [Definition] journalmatch: `and` is not FIELD=value"),
    (
      "journalmatch-quote",
      #"DIR/journalmatch-quote.conf:3: [Definition] journalmatch: a quote is not closed in `"MESS"#
        + "AGE=two words`"
    ),
    ("not-there", "DIR/not-there.conf: there is no such file; check the name"),
  ])
  func badFilesAreNamed(_ name: String, _ message: String) throws {
    let directory = fixturePath("bad")
    let error = try #require(throws: ConfigurationError.self) {
      try FilterTranslation.loadFilter(path: directory + "/" + name + ".conf")
    }
    #expect(error.description.replacing(directory, with: "DIR") == message)
  }

  /// No bad file may be without its message above.
  @Test func everyBadFileIsTested() throws {
    let names = try FileManager.default.contentsOfDirectory(atPath: fixturePath("bad"))
    #expect(names.count == 24)
  }

  @Test func bytesThatAreNoTextAreNamed() throws {
    let directory = try TestDirectory()
    let file = try directory.write("latin.conf", "")
    try Data([0x5B, 0x44, 0x5D, 0x0A, 0x78, 0x3D, 0xE9]).write(to: URL(fileURLWithPath: file))
    let error = try #require(throws: ConfigurationError.self) { try FilterTranslation.loadFilter(path: file) }
    #expect(error.description == "\(file): the file is not valid UTF-8; convert it, for example with iconv")
  }
}

struct NameWithOptionsTests {
  @Test func optionsAreReadWithAndWithoutQuotes() throws {
    #expect(try NameWithOptions("sshd") == NameWithOptions(name: "sshd"))
    #expect(
      try NameWithOptions(#"a[x=1, y="two, [words]", z='say "hi"' ][last=  ends here ]"#)
        == NameWithOptions(
          name: "a", options: ["x": "1", "y": "two, [words]", "z": #"say "hi""#, "last": "ends here"]))
    #expect(
      try NameWithOptions(#"ufw[blocktype?family=inet6="REJECT", a.b-c=,]"#)
        == NameWithOptions(name: "ufw", options: ["blocktype?family=inet6": "REJECT", "a.b-c": ""]))
  }

  @Test(arguments: [
    ("[x=1]", "a name must come before the options, at character 1 of `[x=1]`"),
    ("a[x]", "expected `option=value`, at character 4 of `a[x]`"),
    (#"a[x="1]"#, #"the quote " is not closed, at character 8 of `a[x="1]`"#),
    (#"a[x="1"2]"#, #"expected `,` or `]`, at character 8 of `a[x="1"2]`"#),
    ("a[x=1", "expected `,` or `]`, at character 6 of `a[x=1`"),
    ("a[x=1] b", "nothing may follow the options, at character 8 of `a[x=1] b`"),
  ])
  func faultsAreNamed(_ text: String, _ message: String) throws {
    let error = try #require(throws: OptionSyntaxError.self) { try NameWithOptions(text) }
    #expect(error.description == message)
  }

  @Test func actionsAreSplitOutsideTheirOptions() {
    #expect(
      NameWithOptions.split("a[x=\"1 2\", y=3][z='] ']\n   b  c [d=e\n, f=g]h")
        == ["a[x=\"1 2\", y=3][z='] ']", "b", "c[d=e\n, f=g]", "h"])
    #expect(NameWithOptions.split(" \n ").isEmpty)
  }
}
