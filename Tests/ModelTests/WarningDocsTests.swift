import Foundation
import Model
import Testing

/// docs/warnings.md has a row for every code, and none for what is none.
@Suite struct WarningDocsTests {
  @Test func everyCodeHasItsCauseAndRemedy() throws {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let page = try String(contentsOf: root.appending(path: "docs/warnings.md"), encoding: .utf8)
    var documented: [String] = []
    for line in page.split(separator: "\n") where line.hasPrefix("| `") {
      let cells = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
      #expect(cells.count == 3 && cells.allSatisfy { !$0.isEmpty }, "\(line)")
      documented.append(cells[0].trimmingCharacters(in: ["`"]))
    }
    #expect(documented.sorted() == Warning.Code.allCases.map(\.rawValue).sorted())
  }
}
