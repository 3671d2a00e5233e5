internal import Filters
internal import Yams

/// Reads YAML into nodes that know their places.
///
/// Scalars are not resolved to types by Yams (`no`, `1e3`, `2026-01-01` stay the text that was typed); the keys know
/// what they want.
enum Document {
  /// Each duplicate key composes the text again; whoever has more of them sees the first ones first.
  private static let duplicateLimit = 30

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
    guard source.aliasExpansion <= 64 << 20 else {
      problems.add(
        Place(file: file, line: 1, column: 1), "the aliases (`*name`) expand to too much",
        remedy: "write the values out")
      return nil
    }
    return compose(source, file: file, problems)
  }

  /// Yams stops at the first key that is given twice. Since every problem is to be told, the second one is then renamed
  /// to a character from the private use area, which `Fields` skips, and the text composed again.
  private static func compose(_ original: SourceText, file: String, _ problems: Problems) -> Value? {
    var source = original
    for attempt in 0..<duplicateLimit {
      do {
        guard let node = try Yams.compose(yaml: source.text, .basic), !Value.isNull(node) else { return nil }
        let mark = node.mark
        let place = Place(file: file, line: mark?.line ?? 1, column: mark?.column ?? 1)
        return Value(node: node, place: place, problems: problems)
      } catch YamlError.duplicatedKeysInMapping(let duplicates, let context) {
        let first = context.mark
        let key = duplicates.first ?? ""
        let second = source.renameDuplicate(of: key, line: first.line, column: first.column, attempt: attempt)
        problems.add(
          Place(file: file, line: second?.line ?? first.line, column: second?.column ?? first.column),
          second == nil
            ? "\(quoted(key)) is given twice" : "\(quoted(key)) is given twice, first in line \(first.line)",
          remedy: "keep one of them")
        guard second != nil else { return nil }
      } catch {
        problems.add(syntaxError(error, file: file, source))
        return nil
      }
    }
    return nil
  }

  private static func syntaxError(_ error: any Error, file: String, _ source: SourceText) -> SettingsError {
    switch error as? YamlError {
    case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _),
      .composer(let context, let problem, let mark, _):
      // A quote that is never closed is noticed at the end of the file, and meant where it was opened.
      let opened = context?.text == "while scanning a quoted scalar" ? context?.mark : nil
      let line = min(opened?.line ?? mark.line, source.lineCount)
      let text = [context?.text, problem].compactMap(\.self).joined(separator: ": ")
      return SettingsError(
        Place(file: file, line: line, column: opened?.column ?? mark.column), "is no YAML: \(text)",
        remedy: remedy(text, tab: source.isIndentedByTab(line: line)))
    case .reader(let problem, _, _, _):
      return SettingsError(Place(file: file, line: 1, column: 1), "is no YAML: \(problem)", remedy: "save it as UTF-8")
    default:
      return SettingsError(Place(file: file, line: 1, column: 1), "is no YAML", remedy: remedy("", tab: false))
    }
  }

  /// libyaml says what it stumbled over; this says what people mostly did.
  private static func remedy(_ problem: String, tab: Bool) -> String {
    if tab { return "indent with spaces, not with tabs" }
    if problem.contains("quoted scalar") { return "close the quote; a quote inside single quotes is doubled" }
    if problem.contains("alias") || problem.contains("anchor") { return "quote a value that begins with `*` or `&`" }
    if problem.contains("mapping values") { return "quote a value that contains `: `, and check the indentation" }
    if problem.contains("another document") { return "remove the line `---`" }
    return "check the indentation, the colons, the quotes and the brackets"
  }
}
