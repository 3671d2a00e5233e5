internal import Filters
public import Matching
internal import Model
public import Settings

/// The file of a filter for shapes of lines that somebody called failures.
public enum NewFilter {
  /// - Parameters:
  ///   - log: where the lines are; nil: nobody knows.
  ///   - failures: the shapes to find.
  ///   - spared: others, of which a few show what is not to be found.
  public static func text(name: String, log: String?, failures: [LineShape], spared: [LineShape]) -> String {
    var names: [String: Int] = [:]
    let named = failures.map { shape in
      names[shape.name, default: 0] += 1
      let number = names[shape.name]!
      return (shape, number == 1 ? shape.name : "\(shape.name)-\(number)")
    }
    let programs = failures.compactMap(\.program)
    var text = """
      # \(name): written by `bailiff filter new` from lines of a log. Say here which versions write them, where their form is in the
      # source, and what of a line the client writes (docs/filters.md, "Who writes the line").
      service: \(name)
      summary: Failed logins to \(name)

      """
    if programs.count == failures.count { text += "program: [\(Set(programs).sorted().joined(separator: ", "))]\n" }
    if let log { text += "logpath: [\(quoted(log))]\n" }
    text += "port: []  # all; better, those of the service\npatterns:\n"
    for (shape, name) in named { text += "  - name: \(name)\n    match: \(quoted(shape.pattern))\n" }
    text += "samples:\n"
    for (shape, name) in named {
      let host = shape.host(in: LineShapes.addresses(in: shape.example))
      text += "  - line: \(quoted(shape.example))\n    expect: {pattern: \(name)"
      if let host { text += ", host: '\(host)'" }
      text += "}\n"
    }
    for shape in spared.prefix(3) { text += "  - line: \(quoted(shape.example))\n    expect: none\n" }
    return text
  }

  /// What is wrong with it, samples that do not behave among it.
  public static func complaints(_ text: String, name: String, clock: LogClock) -> [SettingsError] {
    do {
      let definition = try FilterFile.parse(text, file: "\(name).yaml")
      let filter = try FilterLoading.compile(definition)
      let checks = try definition.samples.map { try SampleCheck($0, filter, clock: clock) }
      return definition.problems + checks.compactMap(\.complaint)
    } catch let errors as SettingsErrors {
      return errors.errors
    } catch let error as SettingsError {
      return [error]
    } catch {
      return [SettingsError(Place(file: "\(name).yaml", line: 1, column: 1), "\(error)", remedy: "report it")]
    }
  }

  private static func quoted(_ text: String) -> String { "'\(text.replacing("'", with: "''"))'" }
}
