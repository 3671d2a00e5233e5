import Foundation
import Model
import Testing

@testable import API

/// The description of the API, which is made of the table that requests are answered from.
@Suite(.timeLimit(.minutes(2))) struct OpenAPITests {
  private static func document() async throws -> [String: Any] {
    let server = try TestServer()
    try await server.start()
    let result = try await run(
      ["curl", "-sS", "--unix-socket", server.socket, "http://bailiff/api/v1/openapi.json"])
    await server.stop()
    return try #require(try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any])
  }

  /// Every reference leads somewhere, every parameter of a path is described, no name stands for two operations.
  @Test func itHoldsTogether() async throws {
    let document = try await Self.document()
    #expect(document["openapi"] as? String == "3.1.0")
    let schemas = try #require((document["components"] as? [String: Any])?["schemas"] as? [String: Any])
    var references: [String] = []
    func collect(_ value: Any) {
      if let object = value as? [String: Any] {
        if let reference = object["$ref"] as? String { references.append(reference) }
        object.values.forEach(collect)
      } else if let list = value as? [Any] {
        list.forEach(collect)
      }
    }
    collect(document)
    #expect(references.count > 40)
    for reference in references {
      #expect(schemas[reference.replacing("#/components/schemas/", with: "")] != nil, "\(reference)")
    }
    let paths = try #require(document["paths"] as? [String: [String: [String: Any]]])
    // A reload needs no body.
    let reload = paths["/api/v1/reload"]?["post"]?["requestBody"] as? [String: Any]
    #expect(reload?["required"] as? Bool == false)
    var names: Set<String> = []
    for (path, operations) in paths {
      for operation in operations.values {
        #expect(names.insert(operation["operationId"] as? String ?? "").inserted)
        let described = Set(
          (operation["parameters"] as? [[String: Any]] ?? []).filter { $0["in"] as? String == "path" }.compactMap {
            $0["name"] as? String
          })
        #expect(described == Set(path.matches(of: /\{([a-z]+)\}/).map { String($0.output.1) }))
        #expect((operation["responses"] as? [String: Any])?["200"] != nil)
      }
    }
  }

  /// What the page for people names is in it, and the other way round.
  @Test func thePageNamesTheSame() async throws {
    let paths = try #require(try await Self.document()["paths"] as? [String: [String: Any]])
    let described = Set(paths.flatMap { path, operations in operations.keys.map { "\($0.uppercased()) \(path)" } })
    let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../docs/api.md")
    let page = try String(contentsOf: file, encoding: .utf8)
    let named = Set(
      page.matches(of: /\| `(GET|POST|DELETE) (\/[^?` ]+)/).map { "\($0.output.1) \($0.output.2)" })
    #expect(named == described, "\(named.symmetricDifference(described).sorted())")
  }

  /// Members, which of them are always there, and words, as the types have them.
  @Test func schemasAreTheTypes() throws {
    func members(_ schema: JSONSchema) -> [String: Bool] {
      Dictionary(schema.members.map { ($0.name, $0.isRequired) }, uniquingKeysWith: { $1 })
    }
    #expect(
      try members(SchemaRecorder.schema(of: BanRequest.self)) == [
        "id": true, "jail": false, "bantime": false, "force": true, "confirm": false,
      ])
    #expect(
      try members(SchemaRecorder.schema(of: StatusReply.self)).keys.sorted() == [
        "config", "consumers", "dry_run", "firewall", "jails", "ok", "pid", "quarantined", "sources", "started",
        "store",
        "uptime", "version", "warnings",
      ])
    var bytes: [UInt8] = []
    try SchemaRecorder.schema(of: TokenReply.self).value.write(to: &bytes)
    let text = String(decoding: bytes, as: UTF8.self)
    #expect(text.contains(#""role":{"type":"string","enum":["look","operate","administer"]}"#))
    #expect(text.contains(#""created":{"type":"string","format":"date-time"}"#))
    #expect(text.contains(#""last_used":{"anyOf":["#) && text.contains(#""required":["name","role","created"]"#))
  }
}
