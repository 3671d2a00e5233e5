import Foundation
import TestSupport
import Testing

private let chromium = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].first {
  FileManager.default.isExecutableFile(atPath: $0)
}

/// The report as a browser lays it out.
@Suite(.timeLimit(.minutes(3)), .enabled(if: chromium != nil, "chromium is not installed"))
struct BrowserTests {
  /// On a telephone nothing stands out of the page to the right, no two marks of an axis overlap, and every chart has both
  /// axes; on a desktop neither.
  @Test(arguments: [390, 1000]) func theReportFits(width: Int) async throws {
    let store = try await AuditCommandTests.Recorded()
    let directory = store.scratch.path
    #expect(try await store.run("report", "--since", "6d", "--output", directory + "/report.html").status == 0)
    // A window is never as narrow as a telephone, a frame is.
    let page = try store.scratch.write(
      "frame.html",
      """
      <!DOCTYPE html><iframe id="f" src="report.html" style="width:\(width)px;height:9000px;border:0"></iframe><pre id="r"></pre>
      <script>
      document.getElementById("f").onload = () => {
        const d = document.getElementById("f").contentDocument;
        const charts = [...d.querySelectorAll("svg[role=img]")];
        const overlaps = charts.flatMap(c => [".tick", ".end"].map(kind => {
          const boxes = [...c.querySelectorAll(kind)].map(t => t.getBoundingClientRect());
          return boxes.filter((a, i) => boxes.some((b, j) => j > i && a.left < b.right && b.left < a.right
            && a.top < b.bottom && b.top < a.bottom)).length;
        }));
        document.getElementById("r").textContent = JSON.stringify({
          width: d.documentElement.scrollWidth, charts: charts.length,
          ticks: charts.map(c => c.querySelectorAll(".tick").length),
          scale: charts.map(c => c.querySelectorAll(".end").length),
          small: [...d.querySelectorAll("svg text")].filter(t => t.getBoundingClientRect().height < 9).length,
          outside: charts.flatMap(c => [...c.querySelectorAll("text")].filter(t => {
            const [a, b] = [t.getBoundingClientRect(), c.getBoundingClientRect()];
            return a.left < b.left || a.right > b.right || a.top < b.top || a.bottom > b.bottom;
          })).length,
          overlaps: overlaps.reduce((a, b) => a + b, 0), text: d.body.innerText.length });
      };
      </script>
      """)
    let dom = try await Command.run(
      [
        "/usr/bin/timeout", "-s", "KILL", "120", chromium ?? "", "--headless=new", "--no-sandbox", "--disable-gpu",
        "--allow-file-access-from-files", "--user-data-dir=\(directory)/profile", "--virtual-time-budget=10000",
        "--dump-dom", "file://\(page)",
      ], environment: ["HOME": directory])
    let start = try #require(dom.output.range(of: "<pre id=\"r\">")?.upperBound, "\(dom)")
    let text = dom.output[start...].prefix { $0 != "<" }
    let seen = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any], "\(dom)")
    #expect(seen["width"] as? Int == width)
    #expect(seen["charts"] as? Int == 2)
    #expect((seen["ticks"] as? [Int])?.allSatisfy { (2...7).contains($0) } == true, "\(seen)")
    #expect(seen["scale"] as? [Int] == [5, 5])
    #expect(seen["overlaps"] as? Int == 0)
    #expect(seen["outside"] as? Int == 0)
    #expect(seen["small"] as? Int == 0)
    #expect((seen["text"] as? Int ?? 0) > 300)
  }
}
