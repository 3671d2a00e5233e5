import TestSupport
import Testing

@testable import Filters
@testable import Matching

/// JSON lines are read as RFC 8259 says, and as a slow reference reads them.
@Suite struct JSONReaderTests {
  static let paths = ["status", "request.ip", "request.headers.auth", "a.b.c", "tags", "tags.0", "list.1.x", "a.b"]

  /// Each path's texts, or why the line was not read.
  static func read(_ line: [UInt8], _ paths: [String] = paths) -> Result<[[[UInt8]]], Unread> {
    let keys = JSONKeys(paths.enumerated().map { ($0.offset, $0.element) })!
    var table = FieldTable()
    table.clear(slots: paths.count)
    do throws(Unread) {
      try JSONReader.read(line.span, keys, into: &table)
    } catch {
      return .failure(error)
    }
    return .success(
      paths.indices.map { slot in
        var texts: [[UInt8]] = []
        var next = table.value(slot)
        while let value = next {
          next = table.next(value)
          texts.append(table.withText(value, of: line.span) { text in (0..<text.count).map { text[$0] } })
        }
        return texts
      })
  }

  static func texts(_ line: String, _ paths: [String]) -> [[String]]? {
    guard case .success(let texts) = read(Array(line.utf8), paths) else { return nil }
    return texts.map { $0.map { String(decoding: $0, as: UTF8.self) } }
  }

  @Test func fields() {
    let line =
      #"{"status": 401, "request":{"ip":"192.0.2.7","headers":{"Auth":["x","y"],"n":[]},"o":{"k": 1}},"a.b":"flat","t":true}"#
    #expect(
      Self.texts(
        line, ["status", "request.ip", "request.headers.Auth", "request.headers.n", "request.o", "a.b", "t", "none"])
        == [["401"], ["192.0.2.7"], ["x", "y"], [""], [#"{"k": 1}"#], ["flat"], ["true"], []])
    #expect(Self.texts(#"{"list":[{"x":1},{"x":2}]}"#, ["list.x", "list.1.x"]) == [["1", "2"], ["2"]])
    // What logs write for nothing is absent.
    #expect(Self.texts(#"{"a":null,"b":"","c":"-","d":{}}"#, ["a", "b", "c", "d"]) == [[], [], [], ["{}"]])
    #expect(Self.texts(#"  @cee: {"a":"\u0041\n\ud83d\ude00\/"}  "#, ["a"]) == [["A\n😀/"]])
    // A key is what it means, however it is written.
    #expect(Self.texts(#"{"st\u0061tus":1}"#, ["status"]) == [["1"]])
  }

  @Test(arguments: [
    #"{"status":1,"status":2}"#, #"{"status":1,"st\u0061tus":2}"#, #"{"request":{"ip":1},"request":{"ip":2}}"#,
    #"{"request":{"ip":1,"ip":null}}"#, #"{"a":"\ud800"}"#, #"{"a":"\udc00x"}"#, #"{"a":"\ud800\u0041"}"#,
    #"{"a":NaN}"#,
    #"{"a":Infinity}"#, #"{"a":01}"#, #"{"a":1.}"#, #"{"a":.5}"#, #"{"a":+1}"#, #"{"a":1e}"#, #"{"a":-}"#, #"{"a":1}x"#,
    #"{"a":1}{"a":2}"#, #"{"a":1},"#, #"{"a":"x}"#, #"{"a":"x\"}"#, #"{"a":"\x41"}"#, #"{"a" 1}"#, #"{"a":1 "b":2}"#,
    #"{"a":1,}"#, #"{,"a":1}"#, #"{"a":[1,]}"#, #"{a:1}"#, #"{'a':1}"#, #"{"a":tru}"#, #"{"a":nul}"#, #"{"a":"#, #"{"#,
    "{\"a\":\"\t\"}", "{\"a\":\"x\u{0}\"}", #"{"a":/**/1}"#, #"{"a":"\u12g4"}"#, #"{"a":"\u12"#, #"{"a":[}"#,
    #"{"a":{]}"#,
    #"{"a":undefined}"#, #"{"status":"\u0000\ud83d"}"#,
  ])
  func notBelieved(line: String) {
    guard case .failure(.unbelieved) = Self.read(Array(line.utf8)) else {
      Issue.record("believed: \(line)")
      return
    }
  }

  @Test func otherFormats() {
    for line in ["", " ", "x", "[1]", "\"{}\"", "192.0.2.7 - -", "@cee: [1]"] {
      guard case .failure(.otherFormat) = Self.read(Array(line.utf8)) else {
        Issue.record("read: \(line)")
        continue
      }
    }
  }

  /// A key that nobody asks for may be there twice: loggers do that.
  @Test func otherKeysTwice() {
    #expect(Self.texts(#"{"x":1,"x":2,"status":3,"request":{"y":1,"y":1}}"#, ["status"]) == [["3"]])
  }

  @Test func depthAndLength() {
    func nested(_ depth: Int) -> String {
      #"{"a":"# + String(repeating: "[", count: depth - 1) + String(repeating: "]", count: depth - 1) + #","status":1}"#
    }
    #expect(Self.texts(nested(64), ["status"]) == [["1"]])
    #expect(Self.texts(nested(65), ["status"]) == nil)
    #expect(Self.texts(String(repeating: #"{"a":"#, count: 100_000), ["status"]) == nil)
    let long = String(
      repeating: #"x\u0041\" ,"status":2,"#.replacing("\"", with: "\\\"").replacing("\\\\\"", with: "\\\""),
      count: 50_000)
    #expect(Self.texts(#"{"a":""# + long + #"","status":1}"#, ["status"]) == [["1"]])
  }

  /// Random objects, most of them whole, some damaged: what is read is what the reference reads.
  @Test func sameAsTheReference() {
    var random = Numbers(state: 16)
    var counts = (read: 0, refused: 0)
    for _ in 0..<8000 {
      var line = Array(Generator.object(&random, 4).utf8)
      switch Int.random(in: 0..<4, using: &random) {
      case 0 where !line.isEmpty:
        line[Int.random(in: 0..<line.count, using: &random)] = Generator.bytes.randomElement(using: &random)!
      case 1: line.removeLast(Int.random(in: 0..<3, using: &random))
      default: break
      }
      switch Self.read(line) {
      case .success(let texts):
        counts.read += 1
        guard let reference = JSONReference(line) else {
          Issue.record("read, though it is none: \(String(decoding: line, as: UTF8.self))")
          return
        }
        for (path, texts) in zip(Self.paths, texts) {
          // An element that a path reaches in two ways is one value.
          #expect(
            Set(texts) == reference.values(path).map(Set.init), "\(path) of \(String(decoding: line, as: UTF8.self))")
        }
      case .failure:
        counts.refused += 1
        if let reference = JSONReference(line), Self.paths.allSatisfy({ reference.values($0) != nil }) {
          Issue.record("not read: \(String(decoding: line, as: UTF8.self))")
          return
        }
      }
    }
    #expect(counts.read > 2000 && counts.refused > 1000, "\(counts)")
  }

  enum Generator {
    static let bytes = Array(#"{}[]",:\u0aeE+-.19 truenl"#.utf8) + [0, 9, 0x80, 0xFF]

    static func object(_ random: inout Numbers, _ depth: Int) -> String {
      let keys = [
        "status", "request", "ip", "headers", "auth", "a", "b", "c", "a.b", "a.b.c", "tags", "list", "x", "0", "1",
        #"st\u0061tus"#, "é",
      ]
      let members = (0..<Int.random(in: 0...4, using: &random)).map { _ in
        "\"" + keys.randomElement(using: &random)! + "\":" + value(&random, depth - 1)
      }
      return "{" + members.joined(separator: [",", ", ", " ,\t"].randomElement(using: &random)!) + "}"
    }

    static func value(_ random: inout Numbers, _ depth: Int) -> String {
      switch Int.random(in: 0..<(depth > 0 ? 10 : 6), using: &random) {
      case 0: return ["401", "-1", "0", "1.5", "1e3", "-0.0E-2", "12345678901234567890"].randomElement(using: &random)!
      case 1: return ["true", "false", "null", "\"\"", "\"-\""].randomElement(using: &random)!
      case 2...5:
        let parts = [
          "a", "401", "\\\"", "\\u0041", "\\ud83d\\ude00", "\\n", "\\/", "é", " ", "{\\\"status\\\":1}", ",", "x",
        ]
        return "\""
          + (0..<Int.random(in: 0...4, using: &random)).map { _ in parts.randomElement(using: &random)! }.joined()
          + "\""
      case 6, 7: return " " + object(&random, depth)
      default:
        return "["
          + (0..<Int.random(in: 0...3, using: &random)).map { _ in value(&random, depth - 1) }.joined(separator: ",")
          + "]"
      }
    }
  }
}
