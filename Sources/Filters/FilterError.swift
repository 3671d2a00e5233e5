/// A place in a file of settings, from 1; 0 where it is not known.
public struct Place: Sendable, Hashable {
  public var file: String
  public var line: Int
  public var column: Int

  public init(file: String, line: Int, column: Int) {
    self.file = file
    self.line = line
    self.column = column
  }
}

/// A filter that cannot be used, and where that is written.
public struct FilterError: Error, Sendable, CustomStringConvertible {
  public var place: Place
  public var message: String
  public var remedy: String

  public init(place: Place, message: String, remedy: String) {
    self.place = place
    self.message = message
    self.remedy = remedy
  }

  public var description: String {
    let at =
      place.file.isEmpty ? "" : place.line > 0 ? "\(place.file):\(place.line):\(place.column): " : "\(place.file): "
    return "\(at)\(message); \(remedy)"
  }
}
