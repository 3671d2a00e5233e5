/// The text of a YAML file by line and column, for what Yams does not tell or does not withstand.
struct SourceText {
  private var scalars: [Unicode.Scalar]
  private let lineStarts: [Int]

  init(_ text: String) {
    scalars = Array(text.unicodeScalars)
    var starts = [0]
    for index in scalars.indices where scalars[index] == "\n" { starts.append(index + 1) }
    lineStarts = starts
  }

  var text: String { String(String.UnicodeScalarView(scalars)) }

  /// Lines that hold something: a problem at the end of the file is shown in the last of them.
  var lineCount: Int { lineStarts.last == scalars.count ? max(1, lineStarts.count - 1) : lineStarts.count }

  /// The first character that YAML 1.1 (section 5.1) forbids in a file.
  var controlCharacter: (line: Int, column: Int, scalar: Unicode.Scalar)? {
    let index = scalars.firstIndex { scalar in
      switch scalar.value {
      case 0x09, 0x0A, 0x0D, 0x85: false
      case 0..<0x20, 0x7F..<0xA0, 0xFEFF, 0xFFFE, 0xFFFF: true
      default: false
      }
    }
    guard let index else { return nil }
    let place = place(of: index)
    return (place.line, place.column, scalars[index])
  }

  func isIndentedByTab(line: Int) -> Bool {
    guard line >= 1, line <= lineStarts.count else { return false }
    return scalars[lineStarts[line - 1]...].first { $0 != " " } == "\t"
  }

  /// An upper bound of the characters after every alias is replaced by its anchor's content. Yams shares the nodes, but
  /// hashes keys, which may be aliases, so nested aliases (the "billion laughs") would keep it busy for years. Anchors
  /// multiply only with aliases that precede them: each group of aliases between two anchors is one factor.
  var aliasExpansion: Int {
    var factor = 1
    var group = 0
    var index = 0
    while index < scalars.count {
      let scalar = scalars[index]
      if isTokenStart(index) {
        if isQuote(scalar) {
          index = endOfQuoted(index)
          continue
        }
        if scalar == "*" { group = min(group + 1, 1 << 20) }
        if scalar == "&" {
          factor = min(1 << 30, factor * (1 + group))
          group = 0
        }
      }
      index += 1
    }
    return min(1 << 30, factor * (1 + group)) * max(1, scalars.count)
  }

  /// May an alias, an anchor or a quoted text begin here?
  private func isTokenStart(_ index: Int) -> Bool {
    guard index > 0, index + 1 < scalars.count else { return index == 0 }
    guard " \t\n\r[{,:".unicodeScalars.contains(scalars[index - 1]) else { return false }
    return isQuote(scalars[index]) || isWord(scalars[index + 1])
  }

  private func endOfQuoted(_ start: Int) -> Int {
    let quote = scalars[start]
    var index = start + 1
    while index < scalars.count, scalars[index] != quote {
      index += quote == "\"" && scalars[index] == "\\" ? 2 : 1
    }
    return min(index + 1, scalars.count)
  }

  private func isWord(_ scalar: Unicode.Scalar) -> Bool {
    scalar == "_" || scalar == "-" || scalar.properties.isAlphabetic || scalar.properties.numericType != nil
  }

  private func place(of index: Int) -> (line: Int, column: Int) {
    var low = 0
    var high = lineStarts.count
    while high - low > 1 {
      let middle = (low + high) / 2
      if lineStarts[middle] <= index { low = middle } else { high = middle }
    }
    return (low + 1, index - lineStarts[low] + 1)
  }

  /// Finds where `key`, which is at `line` and `column`, is given again in the same mapping, and overwrites it with
  /// a private character. Nil when it is not found (a key written in two ways).
  mutating func renameDuplicate(of key: String, line: Int, column: Int, attempt: Int) -> (line: Int, column: Int)? {
    let key = Array(key.unicodeScalars)
    guard !key.isEmpty, line >= 1, line <= lineStarts.count,
      let start = blockDuplicate(of: key, line: line, column: column)
        ?? flowDuplicate(of: key, after: lineStarts[line - 1] + column - 1 + key.count),
      let mark = Unicode.Scalar(0xE000 + UInt32(attempt))
    else { return nil }
    let keyStart = isQuote(scalars[start]) ? start + 1 : start
    for index in keyStart..<keyStart + key.count { scalars[index] = mark }
    return place(of: start)
  }

  /// In block style the keys of a mapping are in one column, until a line is indented less.
  private func blockDuplicate(of key: [Unicode.Scalar], line: Int, column: Int) -> Int? {
    for start in lineStarts.dropFirst(line) {
      let indent = scalars[start...].prefix { $0 == " " }.count
      let index = start + indent
      guard index < scalars.count else { return nil }
      if scalars[index] == "\n" || scalars[index] == "\r" || scalars[index] == "#" { continue }
      if indent < column - 1 { return nil }
      if indent == column - 1, isKey(key, at: index) { return index }
    }
    return nil
  }

  /// In flow style they stand anywhere after a brace, a comma or a space.
  private func flowDuplicate(of key: [Unicode.Scalar], after start: Int) -> Int? {
    guard start < scalars.count else { return nil }
    return scalars.indices[start...].first { index in
      "{, \n".unicodeScalars.contains(scalars[index - 1]) && isKey(key, at: index)
    }
  }

  /// Does `key`, in quotes or without, occur at `index`, with a colon after it?
  private func isKey(_ key: [Unicode.Scalar], at index: Int) -> Bool {
    var index = index
    let quote = index < scalars.count && isQuote(scalars[index]) ? scalars[index] : nil
    if quote != nil { index += 1 }
    guard index + key.count < scalars.count, scalars[index..<index + key.count].elementsEqual(key) else { return false }
    index += key.count
    if let quote {
      guard scalars[index] == quote else { return false }
      index += 1
    }
    while index < scalars.count, scalars[index] == " " { index += 1 }
    return index < scalars.count && scalars[index] == ":"
  }

  private func isQuote(_ scalar: Unicode.Scalar) -> Bool { scalar == "\"" || scalar == "'" }
}
