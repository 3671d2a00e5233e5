/// A key of bailiff.yaml or of a filter, and what may be written behind it.
///
/// The reader knows a key only if it is in these tables (`Keys.all`, `Keys.filter`), and the JSON schema that editors use is
/// made of them, so the two cannot differ in names. A test feeds the reader each kind's right and wrong values.
struct Key: Sendable {
  let name: String
  let kind: Kind
  /// A sentence for whoever is typing it.
  let about: String
  /// Is a value of it kept out of what is shown and exported?
  let isSecret: Bool

  init(_ name: String, _ kind: Kind, _ about: String, isSecret: Bool = false) {
    self.name = name
    self.kind = kind
    self.about = about
    self.isSecret = isSecret
  }

  indirect enum Kind: Sendable {
    case bool
    case integer(ClosedRange<Int>)
    /// Above 0.
    case number
    /// `10m`, `1h30m`, or seconds.
    case time
    /// `90d`: a number alone would be seconds, which nobody means here.
    case age
    /// `2GiB`.
    case size
    case text
    /// One of these.
    case word([String])
    /// One, or a list of them.
    case list(Kind)
    /// These keys and no others.
    case map([Key])
    /// Keys that the user names.
    case named(Kind)
    case either([Kind])
  }
}

extension [Key] {
  var names: [String] { map(\.name) }

  subscript(name: String) -> Key? { first { $0.name == name } }
}

/// The tables of keys, one for each map of a file.
enum Keys {
  /// An enumeration's words.
  static func words<Choice: CaseIterable & RawRepresentable<String>>(_: Choice.Type) -> Key.Kind {
    .word(Choice.allCases.map(\.rawValue))
  }
}
