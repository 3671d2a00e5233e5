/// An option's text as it is in a file, before interpolation.
package struct RawOption: Sendable, Equatable {
  package var value: String
  package var file: String
  /// Where the option begins, from 1; 0 for what no file says.
  package var line: Int

  package init(value: String, file: String = "", line: Int = 0) {
    self.value = value
    self.file = file
    self.line = line
  }
}

/// A section's options in the order in which they first came; a key is lower case, as fail2ban compares keys.
package struct Options: Sendable, Equatable {
  package private(set) var keys: [String] = []
  private var values: [String: RawOption] = [:]

  package init() {}

  package subscript(key: String) -> RawOption? {
    get { values[key] }
    set {
      if let newValue {
        if values.updateValue(newValue, forKey: key) == nil { keys.append(key) }
      } else if values.removeValue(forKey: key) != nil {
        keys.removeAll { $0 == key }
      }
    }
  }

  package mutating func merge(_ other: Options) {
    for key in other.keys { self[key] = other[key] }
  }
}
