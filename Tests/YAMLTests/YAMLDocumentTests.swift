import Testing
import YAML

@Suite struct YAMLDocumentTests {
  private func shape(_ node: YAMLNode?) -> String {
    switch node?.content {
    case nil: "nothing"
    case .scalar(let text, let style)?: style == .plain ? text : "'\(text)'"
    case .sequence(let items)?: "[" + items.map(shape).joined(separator: " ") + "]"
    case .mapping(let entries)?:
      "{" + entries.map { shape($0.key) + ":" + shape($0.value) }.joined(separator: " ") + "}"
    }
  }

  @Test(arguments: [
    ("", "nothing"), ("# only a comment\n", "nothing"), ("a: no", "{a:no}"), ("a: 'no'\nb: [1, 2]", "{a:'no' b:[1 2]}"),
    ("a: &x {p: 1}\nb: *x", "{a:{p:1} b:{p:1}}"), ("a:\n  - |\n    two\n    lines\n", "{a:['two\nlines\n']}"),
    ("~", "~"),
    ("\"a\\x1bb\": c", "{'a\u{1b}b':c}"), ("---\na: 1\n...\n", "{a:1}"), ("? [k]\n: v", "{[k]:v}"),
  ])
  func reads(text: String, expected: String) throws { #expect(shape(try YAMLDocument(text).root) == expected) }

  @Test func placesAreThoseOfTheText() throws {
    guard case .mapping(let entries)? = try YAMLDocument("ä: 1\nb:\n    ü: [x, y]\n").root?.content,
      case .mapping(let inner) = entries[1].value.content, case .sequence(let items) = inner[0].value.content
    else { return #expect(Bool(false)) }
    #expect(entries[0].value.line == 1 && entries[0].value.column == 4)
    #expect(inner[0].key.line == 3 && inner[0].key.column == 5)
    #expect(items[1].column == 12)
  }

  @Test func everyDuplicateIsTold() throws {
    let document = try YAMLDocument("a: 1\nb: {x: 1, \"x\": 2, x: 3}\na: 2\n")
    #expect(
      document.duplicates.map { "\($0.line):\($0.column) \($0.key) \($0.firstLine)" } == [
        "2:11 x 2", "2:19 x 2", "3:1 a 1",
      ])
    #expect(shape(document.root) == "{a:1 b:{x:1}}")
  }

  @Test(arguments: [
    ("a: 'b", 1, 4), ("a: *b", 1, 4), ("a: 1\n---\nb: 2", 2, 1), ("a: [1, 2", 2, 1), ("\tb", 1, 1),
    ("a: &x [*x]", 1, 8),
    (String(repeating: "[", count: 200), 1, 102), ("a: b: c", 1, 5),
  ])
  func errorsHaveTheirPlace(text: String, line: Int, column: Int) {
    let error = #expect(throws: YAMLError.self) { try YAMLDocument(text) }
    #expect(error?.line == line && error?.column == column, "\(error as Any)")
  }

  @Test func laughsEnd() {
    var text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
    for i in 1..<30 {
      text += "a\(i): &a\(i) [" + Array(repeating: "*a\(i - 1)", count: 10).joined(separator: ", ") + "]\n"
    }
    let error = #expect(throws: YAMLError.self) { try YAMLDocument(text) }
    #expect(error?.message == "the aliases expand to too much" && error?.line == 6)
  }
}
