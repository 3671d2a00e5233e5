internal import Filters
internal import YAML

/// Reads a settings file into values that know their places.
enum Document {
  /// The root of the file, or nil when it is empty or wrong, which `problems` then tells.
  static func read(_ path: String, _ problems: Problems) -> Value? {
    do {
      return parse(try TextFile.read(path), file: path, problems)
    } catch {
      problems.add(Place(file: path, line: 0, column: 0), error.message, remedy: error.remedy)
      return nil
    }
  }

  static func parse(_ text: String, file: String, _ problems: Problems) -> Value? {
    let source = SourceText(text)
    if let (line, column, scalar) = source.controlCharacter {
      problems.add(
        Place(file: file, line: line, column: column),
        "control character U+\(String(scalar.value, radix: 16, uppercase: true)) in the file",
        remedy: "remove it; inside double quotes write it as an escape, \"\\x1b\"")
      return nil
    }
    do throws(YAMLError) {
      let document = try YAMLDocument(text)
      for duplicate in document.duplicates {
        problems.add(
          Place(file: file, line: duplicate.line, column: duplicate.column),
          "\(quoted(duplicate.key)) is given twice, first in line \(duplicate.firstLine)", remedy: "keep one of them")
      }
      guard let root = document.root, !root.isNull else { return nil }
      return Value(node: root, place: Place(file: file, line: root.line, column: root.column), problems: problems)
    } catch {
      let line = min(error.line, source.lineCount)
      problems.add(
        Place(file: file, line: line, column: error.column), "is no YAML: \(error.message)",
        remedy: remedy(error.message, tab: source.isIndentedByTab(line: line)))
      return nil
    }
  }

  /// libyaml says what it stumbled over; this says what people mostly did.
  private static func remedy(_ problem: String, tab: Bool) -> String {
    if tab { return "indent with spaces, not with tabs" }
    if problem.contains("quoted scalar") { return "close the quote; a quote inside single quotes is doubled" }
    if problem.contains("undefined alias") || problem.contains("an alias") || problem.contains("anchor") {
      return "quote a value that begins with `*` or `&`"
    }
    if problem.contains("mapping values") { return "quote a value that contains `: `, and check the indentation" }
    if problem.contains("expand to too much") { return "write the values out" }
    if problem.contains("another document") { return "remove the line `---`" }
    return "check the indentation, the colons, the quotes and the brackets"
  }
}
