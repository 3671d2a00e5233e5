internal import FoundationEssentials

enum TimeZoneName {
  /// `UTC`, `GMT`, `Z`, a fixed offset (`UTC+0200`, `+02:00`), or a file of the tz database.
  static func isValid(_ name: String) -> Bool {
    var rest = name[...]
    for prefix in ["UTC", "GMT", "Z"] where rest.hasPrefix(prefix) {
      rest = rest.dropFirst(prefix.count)
      break
    }
    if rest.isEmpty { return !name.isEmpty }
    if rest.hasPrefix("+") || rest.hasPrefix("-") {
      let digits = rest.dropFirst().filter { $0 != ":" }
      guard digits.utf8.allSatisfy({ $0 >= 48 && $0 <= 57 }), let number = Int(digits) else { return false }
      switch digits.count {
      case 1, 2: return number <= 15
      case 4: return number / 100 <= 15 && number % 100 < 60
      default: return false
      }
    }
    // A name must not lead out of the directory.
    let parts = name.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.allSatisfy({ !$0.isEmpty && !$0.hasPrefix(".") }) else { return false }
    var isDirectory = false
    return FileManager.default.fileExists(atPath: "/usr/share/zoneinfo/\(name)", isDirectory: &isDirectory)
      && !isDirectory
  }
}
