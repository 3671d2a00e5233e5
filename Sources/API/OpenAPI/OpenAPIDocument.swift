import HTTPServing
import NIOHTTP1

/// The API's description in OpenAPI 3.1 (https://spec.openapis.org/oas/v3.1.1), made of its endpoints.
struct OpenAPIDocument {
  let endpoints: [Endpoint]
  let version: String

  /// - Throws: what a type threw whose schema was asked for.
  func text() throws -> [UInt8] {
    var schemas: [(String, JSONValue)] = []
    for shape in shapes where !schemas.contains(where: { $0.0 == shape.name }) {
      schemas.append((shape.name, try shape.schema().value))
    }
    let document: JSONValue = .object([
      ("openapi", .text("3.1.0")),
      (
        "info",
        .object([
          ("title", .text("Bailiff")), ("version", .text(version)),
          ("summary", .text("Who is banned on this machine, why, and until when.")),
          ("license", .object([("name", .text("Apache-2.0")), ("identifier", .text("Apache-2.0"))])),
        ])
      ),
      ("servers", .list([.object([("url", .text("/"))])])),
      ("security", .list([.object([("token", .list([]))])])),
      ("paths", .object(paths)),
      (
        "components",
        .object([
          ("schemas", .object(schemas)),
          (
            "securitySchemes",
            .object([
              (
                "token",
                .object([
                  ("type", .text("http")), ("scheme", .text("bearer")),
                  ("description", .text("Of `bailiff token add`. On the Unix socket the kernel says who asks.")),
                ])
              )
            ])
          ),
        ])
      ),
    ])
    var bytes: [UInt8] = []
    document.write(to: &bytes)
    return bytes + [UInt8(ascii: "\n")]
  }

  private static let error = About.Shape(ErrorReply.self)

  private var shapes: [About.Shape] {
    [Self.error]
      + endpoints.flatMap { endpoint -> [About.Shape] in
        let answer: About.Shape? =
          switch endpoint.about.answers {
          case .json(let shape), .lines(let shape), .events(let shape): shape
          case .html, .file, .metrics, .openAPI: nil
          }
        return [endpoint.about.takes, answer].compactMap { $0 }
      }
  }

  private var paths: [(String, JSONValue)] {
    var names: [String] = []
    for endpoint in endpoints where !names.contains(endpoint.path) { names.append(endpoint.path) }
    return names.map { name in
      let here = endpoints.filter { $0.path == name }
      return (name, .object(here.map { ($0.method.rawValue.lowercased(), operation($0)) }))
    }
  }

  private func operation(_ endpoint: Endpoint) -> JSONValue {
    var parts: [(String, JSONValue)] = [
      ("operationId", .text(Self.name(endpoint))), ("summary", .text(endpoint.about.summary)),
      ("description", .text("Takes the role `\(endpoint.role.rawValue)`.")), ("x-role", .text(endpoint.role.rawValue)),
    ]
    let inPath = endpoint.path.split(separator: "/").filter { $0.hasPrefix("{") }.map { part in
      JSONValue.object([
        ("name", .text(String(part.dropFirst().dropLast()))), ("in", .text("path")), ("required", .bool(true)),
        ("schema", JSONSchema.text.value),
      ])
    }
    let parameters = inPath + endpoint.about.query.map(Self.parameter)
    if !parameters.isEmpty { parts.append(("parameters", .list(parameters))) }
    if let shape = endpoint.about.takes {
      parts.append(
        (
          "requestBody",
          .object([
            ("required", .bool(!endpoint.about.isBodyOptional)),
            ("content", Self.content("application/json", Self.reference(shape))),
          ])
        ))
    }
    let refusal: JSONValue = .object([
      ("description", .text("What is wrong, and what helps.")),
      ("content", Self.content("application/problem+json", Self.reference(Self.error))),
    ])
    parts.append(
      ("responses", .object([("200", Self.answer(endpoint.about.answers)), ("4XX", refusal), ("5XX", refusal)])))
    return .object(parts)
  }

  private static func parameter(_ parameter: About.Parameter) -> JSONValue {
    let schema = parameter.schema()
    return .object([
      ("name", .text(parameter.name)), ("in", .text("query")), ("description", .text(parameter.text)),
      ("required", .bool(parameter.isRequired)),
      ("schema", parameter.isRepeated ? JSONSchema.list(of: schema).value : schema.value),
    ])
  }

  private static func answer(_ answer: About.Answer) -> JSONValue {
    let (text, content) =
      switch answer {
      case .json(let shape): ("The answer.", Self.content("application/json", reference(shape)))
      case .lines(let shape): ("One a line.", Self.content("application/x-ndjson", reference(shape)))
      case .events(let shape):
        ("Server-sent events; `data` is one of these.", Self.content("text/event-stream", reference(shape)))
      case .html: ("A page.", Self.content("text/html", JSONSchema.text.value))
      case .file:
        (
          "A page, or a PDF.",
          .object(
            ["text/html", "application/pdf"].map { type in
              (type, .object([("schema", JSONSchema.text.value)]))
            })
        )
      case .metrics: ("Figures.", Self.content("text/plain", JSONSchema.text.value))
      case .openAPI: ("This.", Self.content("application/json", .object([("type", .text("object"))])))
      }
    return .object([("description", .text(text)), ("content", content)])
  }

  private static func content(_ type: String, _ schema: JSONValue) -> JSONValue {
    .object([(type, .object([("schema", schema)]))])
  }

  private static func reference(_ shape: About.Shape) -> JSONValue {
    .object([("$ref", .text("#/components/schemas/\(shape.name)"))])
  }

  /// `getBans`, `deleteTokensByName`.
  static func name(_ endpoint: Endpoint) -> String {
    let words = endpoint.path.split { "/-.".contains($0) }.filter { $0 != "api" && $0 != "v1" }.map { word in
      word.hasPrefix("{") ? "By" + word.dropFirst().dropLast().capitalized : word.capitalized
    }
    return endpoint.method.rawValue.lowercased() + words.joined()
  }
}

extension Substring {
  fileprivate var capitalized: String { prefix(1).uppercased() + dropFirst() }
}
