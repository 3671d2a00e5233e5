internal import Filters

/// A list that `ignoreip` names with `file:`: an address, block or DNS name a line, `#` begins a comment.
public enum IgnoreFile {
  /// The good entries, and what is wrong with the others (line 0: the file cannot be read). The engine reads the file
  /// again when it changes, and goes on with the good entries.
  public static func read(_ path: String) -> (entries: [IgnoreEntry], errors: [SettingsError]) {
    let text: String
    do {
      text = try TextFile.read(path)
    } catch {
      return ([], [SettingsError(Place(file: path, line: 0, column: 0), error.message, remedy: error.remedy)])
    }
    var entries: [IgnoreEntry] = []
    var errors: [SettingsError] = []
    for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
      let content = line.prefix { $0 != "#" }
      for word in content.split(whereSeparator: \.isWhitespace) {
        let column = content.unicodeScalars.distance(from: content.startIndex, to: word.startIndex) + 1
        let place = Place(file: path, line: index + 1, column: column)
        switch IgnoreEntry.parse(String(word)) {
        case .success(.file):
          errors.append(SettingsError(place, "a list cannot name another list", remedy: "name both in ignoreip"))
        case .success(let entry): entries.append(entry)
        case .failure(let error): errors.append(SettingsError(place, error.message, remedy: error.remedy))
        }
      }
    }
    return (entries, errors)
  }
}
