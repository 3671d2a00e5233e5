internal import CYAML

/// What the parser found next, and where it begins.
struct YAMLEvent {
  enum Kind {
    case streamStart, streamEnd, documentStart, documentEnd
    case alias(String)
    case scalar(String, YAMLNode.ScalarStyle)
    case sequenceStart, sequenceEnd, mappingStart, mappingEnd
    case none
  }

  var kind: Kind
  var anchor: String?
  var isFlow = false
  var line: Int
  var column: Int

  func error(_ message: String) -> YAMLError { YAMLError(message: message, line: line, column: column) }
}

/// libyaml's event parser over one text.
@safe final class YAMLParser {
  private let parser: UnsafeMutablePointer<yaml_parser_t>
  /// libyaml reads from here until the end.
  private let input: UnsafeMutableBufferPointer<UInt8>

  init(_ text: String) {
    // Safe: both are allocated here, used by this object alone, and freed in deinit.
    unsafe parser = .allocate(capacity: 1)
    unsafe parser.initialize(to: yaml_parser_t())
    unsafe yaml_parser_initialize(parser)
    let bytes = Array(text.utf8)
    unsafe input = .allocate(capacity: max(1, bytes.count))
    _ = unsafe input.update(fromContentsOf: bytes)
    unsafe yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
    unsafe yaml_parser_set_input_string(parser, input.baseAddress!, bytes.count)
  }

  deinit {
    // Safe: the counterparts of `init`.
    unsafe yaml_parser_delete(parser)
    unsafe parser.deallocate()
    unsafe input.deallocate()
  }

  func next() throws(YAMLError) -> YAMLEvent {
    var event = unsafe yaml_event_t()
    // Safe: the event is filled here, its texts are copied below, and it is freed on every way out.
    guard unsafe yaml_parser_parse(parser, &event) == 1 else { throw failure() }
    defer { unsafe yaml_event_delete(&event) }
    let start = unsafe event.start_mark
    var result = YAMLEvent(kind: .none, line: Int(start.line) + 1, column: Int(start.column) + 1)
    // Safe: the union's member is the one of the event's type (yaml.h).
    switch unsafe event.type {
    case YAML_STREAM_START_EVENT: result.kind = .streamStart
    case YAML_STREAM_END_EVENT: result.kind = .streamEnd
    case YAML_DOCUMENT_START_EVENT: result.kind = .documentStart
    case YAML_DOCUMENT_END_EVENT: result.kind = .documentEnd
    case YAML_ALIAS_EVENT: result.kind = .alias(unsafe Self.text(event.data.alias.anchor) ?? "")
    case YAML_SCALAR_EVENT:
      let scalar = unsafe event.data.scalar
      let bytes = unsafe UnsafeBufferPointer(start: scalar.value, count: scalar.length)
      let style: YAMLNode.ScalarStyle =
        switch unsafe scalar.style {
        case YAML_PLAIN_SCALAR_STYLE: .plain
        case YAML_LITERAL_SCALAR_STYLE, YAML_FOLDED_SCALAR_STYLE: .block
        default: .quoted
        }
      result.kind = .scalar(unsafe String(decoding: bytes, as: UTF8.self), style)
      result.anchor = unsafe Self.text(scalar.anchor)
    case YAML_SEQUENCE_START_EVENT:
      result.kind = .sequenceStart
      result.anchor = unsafe Self.text(event.data.sequence_start.anchor)
      result.isFlow = unsafe event.data.sequence_start.style == YAML_FLOW_SEQUENCE_STYLE
    case YAML_SEQUENCE_END_EVENT: result.kind = .sequenceEnd
    case YAML_MAPPING_START_EVENT:
      result.kind = .mappingStart
      result.anchor = unsafe Self.text(event.data.mapping_start.anchor)
      result.isFlow = unsafe event.data.mapping_start.style == YAML_FLOW_MAPPING_STYLE
    case YAML_MAPPING_END_EVENT: result.kind = .mappingEnd
    default: break
    }
    return result
  }

  private static func text(_ bytes: UnsafeMutablePointer<yaml_char_t>?) -> String? {
    // Safe: libyaml's texts end in NUL; copied here.
    unsafe bytes.map { unsafe String(cString: $0) }
  }

  private func failure() -> YAMLError {
    // Safe, to the end: fields of the parser after an error; its texts are literals of libyaml.
    let problem = unsafe parser.pointee.problem.map { unsafe String(cString: $0) } ?? "it cannot be read"
    let context = unsafe parser.pointee.context.map { unsafe String(cString: $0) }
    guard unsafe parser.pointee.error != YAML_READER_ERROR else {
      return YAMLError(message: problem, line: 1, column: 1)
    }
    // A quote that is never closed is noticed at the end of the file, and meant where it was opened.
    let isQuote = context == "while scanning a quoted scalar"
    let mark = unsafe isQuote ? parser.pointee.context_mark : parser.pointee.problem_mark
    return YAMLError(
      message: [context, problem].compactMap(\.self).joined(separator: ": "), line: Int(mark.line) + 1,
      column: Int(mark.column) + 1)
  }
}
