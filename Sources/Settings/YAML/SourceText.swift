/// The text of a YAML file by line and column, for what libyaml does not tell.
struct SourceText {
  private let scalars: [Unicode.Scalar]
  private let lineStarts: [Int]

  init(_ text: String) {
    scalars = Array(text.unicodeScalars)
    var starts = [0]
    for index in scalars.indices where scalars[index] == "\n" { starts.append(index + 1) }
    lineStarts = starts
  }

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

  private func place(of index: Int) -> (line: Int, column: Int) {
    var low = 0
    var high = lineStarts.count
    while high - low > 1 {
      let middle = (low + high) / 2
      if lineStarts[middle] <= index { low = middle } else { high = middle }
    }
    return (low + 1, index - lineStarts[low] + 1)
  }
}
