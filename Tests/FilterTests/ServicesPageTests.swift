import Filters
import Foundation
import Testing

/// docs/services.md lists every filter that comes with Bailiff, and no other.
@Suite struct ServicesPageTests {
  @Test func thePageListsEveryFilter() throws {
    let page = try String(contentsOf: Shipped.root.appending(path: "docs/services.md"), encoding: .utf8)
    let rows = page.split(separator: "\n").filter { $0.hasPrefix("| `") }.map { row in
      row.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
    }
    let names = rows.map { $0[0].replacingOccurrences(of: "`", with: "") }
    #expect(names == names.sorted(), "in order")
    #expect(names == Shipped.files.map { String($0.dropLast(".yaml".count)) }.sorted())
    #expect(page.contains("\n\(names.count) filters come with Bailiff."))
    for row in rows {
      #expect(["run here", "source", "documentation"].contains(row[2]), "\(row[0]): how it was checked")
    }
  }

  /// What `bailiff filter explain` shows first: versions and sources, which only its author knew.
  @Test(arguments: Shipped.files) func aFilterSaysWhatItIs(file: String) throws {
    let text = try String(contentsOf: Shipped.root.appending(path: "filters/\(file)"), encoding: .utf8)
    #expect(text.hasPrefix("# "), "\(file) begins with a comment")
    #expect(try !Shipped.definition(file).summary.isEmpty)
  }
}
