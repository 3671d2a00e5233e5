import System

/// Columns that line up, whatever the cells hold. Cells are made printable here.
///
/// ```swift
/// var table = Table([.text("JAIL"), .number("BANS"), .rest("LINE")])
/// table.add(["sshd", "3", line])
/// table.print(to: &output, on: terminal)
/// ```
struct Table {
  struct Column {
    enum Alignment { case left, right }

    var title: String
    var alignment: Alignment
    /// Is it cut where the terminal ends?
    var isFlexible: Bool

    static func text(_ title: String) -> Column { Column(title: title, alignment: .left, isFlexible: false) }
    static func number(_ title: String) -> Column { Column(title: title, alignment: .right, isFlexible: false) }
    static func rest(_ title: String) -> Column { Column(title: title, alignment: .left, isFlexible: true) }
  }

  private let columns: [Column]
  private var rows: [(cells: [String], style: Terminal.Style?)] = []

  init(_ columns: [Column]) { self.columns = columns }

  var isEmpty: Bool { rows.isEmpty }

  /// A cell for each column.
  mutating func add(_ cells: [String], style: Terminal.Style? = nil) {
    precondition(cells.count == columns.count, "a cell for each column")
    rows.append((cells.map(printable), style))
  }

  func print(to output: inout Output, on terminal: Terminal, indent: Int = 0) {
    var widths = columns.map { displayWidth($0.title) }
    for row in rows { for (i, cell) in row.cells.enumerated() { widths[i] = max(widths[i], displayWidth(cell)) } }
    shrink(&widths, indent, terminal)
    output.line(terminal.styled(line(columns.map(\.title), widths, indent), .bold))
    for row in rows {
      let text = line(row.cells, widths, indent)
      output.line(row.style.map { terminal.styled(text, $0) } ?? text)
    }
  }

  /// Takes from the flexible columns, the widest first, what the terminal does not have.
  private func shrink(_ widths: inout [Int], _ indent: Int, _ terminal: Terminal) {
    guard let available = terminal.width else { return }
    var excess = indent + widths.reduce(0, +) + 2 * (widths.count - 1) - available
    while excess > 0 {
      let candidates = columns.indices.filter { columns[$0].isFlexible && widths[$0] > 12 }
      guard let widest = candidates.max(by: { widths[$0] < widths[$1] }) else { return }
      let cut = min(excess, widths[widest] - 12)
      widths[widest] -= cut
      excess -= cut
    }
  }

  private func line(_ cells: [String], _ widths: [Int], _ indent: Int) -> String {
    var line = String(repeating: " ", count: indent)
    for (i, cell) in cells.enumerated() {
      let text = truncated(cell, to: widths[i])
      let padding = String(repeating: " ", count: widths[i] - displayWidth(text))
      if columns[i].alignment == .right { line += padding }
      line += text
      guard i < cells.count - 1 else { break }
      if columns[i].alignment == .left { line += padding }
      line += "  "
    }
    while line.last == " " { line.removeLast() }
    return line
  }
}
