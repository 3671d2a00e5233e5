import HTTPServing
import NIOHTTP1

/// A route of the API, who may use it, and what its description says of it.
struct Endpoint: Sendable {
  var route: Route
  var method: HTTPMethod
  /// `/api/v1/tokens/{name}`
  var path: String
  var role: Role
  var about: About
}

/// What is said of an endpoint.
struct About: Sendable {
  enum Answer: Sendable {
    case json(Shape)
    /// An object a line (`application/x-ndjson`).
    case lines(Shape)
    /// Server-sent events, each with such an object.
    case events(Shape)
    case html
    /// A page, or a PDF.
    case file
    /// Prometheus' text format.
    case metrics
    /// The description itself.
    case openAPI
  }

  struct Parameter: Sendable {
    var name: String
    var text: String
    var schema: @Sendable () -> JSONSchema
    var isRequired = false
    var isRepeated = false

    static func text(_ name: String, _ text: String, isRequired: Bool = false) -> Parameter {
      Parameter(name: name, text: text, schema: { .text }, isRequired: isRequired)
    }
    static func integer(_ name: String, _ text: String) -> Parameter {
      Parameter(name: name, text: text, schema: { .integer })
    }
    static func words(_ name: String, _ words: [String], _ text: String, isRepeated: Bool = false) -> Parameter {
      Parameter(name: name, text: text, schema: { .words(words) }, isRepeated: isRepeated)
    }
  }

  /// A type, by its schema.
  struct Shape: Sendable {
    var name: String
    var schema: @Sendable () throws -> JSONSchema

    init<Value: Decodable & Sendable>(_ type: Value.Type) {
      name = "\(type)"
      schema = { try SchemaRecorder.schema(of: type) }
    }

    init(name: String, schema: @escaping @Sendable () throws -> JSONSchema) {
      (self.name, self.schema) = (name, schema)
    }
  }

  var summary: String
  var query: [Parameter] = []
  var takes: Shape?
  /// May the body be left out?
  var isBodyOptional = false
  var answers: Answer

  init(
    _ summary: String, query: [Parameter] = [], takes: Shape? = nil, isBodyOptional: Bool = false, answers: Answer
  ) {
    self.isBodyOptional = isBodyOptional
    self.summary = summary
    self.query = query
    self.takes = takes
    self.answers = answers
  }
}
