internal import Matching
internal import Yams

/// Reads YAML into nodes that know their places.
///
/// Scalars are not resolved to types by Yams (`no`, `1e3`, `2026-01-01` stay the text that was typed); the keys know what
/// they want.
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
    guard source.aliasExpansion <= 64 << 20 else {
      problems.add(
        Place(file: file, line: 1, column: 1), "the aliases (`*name`) expand to too much",
        remedy: "write the values out")
      return nil
    }
    return compose(source, file: file, problems)
  }

  /// Yams stops at the first key that is given twice. Since every problem is to be told, the second one is then renamed to
  /// a character from the private use area, which `Fields` skips, and the text composed again.
  private static func compose(_ original: SourceText, file: String, _ problems: Problems) -> Value? {
    var source = original
    for attempt in 0..<100 {
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
        problems.add(syntaxError(error, file: file, lines: source.lineCount))
        return nil
      }
    }
    return nil
  }

  private static func syntaxError(_ error: any Error, file: String, lines: Int) -> SettingsError {
    let remedy = "check the indentation (spaces only), the colons and the quotes"
    switch error as? YamlError {
    case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _),
      .composer(let context, let problem, let mark, _):
      let text = [context?.text, problem].compactMap(\.self).joined(separator: ": ")
      return SettingsError(
        Place(file: file, line: min(mark.line, lines), column: mark.column), "is no YAML: \(text)", remedy: remedy)
    case .reader(let problem, _, _, _):
      return SettingsError(Place(file: file, line: 1, column: 1), "is no YAML: \(problem)", remedy: remedy)
    default:
      return SettingsError(Place(file: file, line: 1, column: 1), "is no YAML", remedy: remedy)
    }
  }
}
