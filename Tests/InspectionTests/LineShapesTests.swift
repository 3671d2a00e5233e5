import Matching
import Model
import Settings
import Testing

@testable import Inspection

/// Groups of lines, and the filter that comes of them.
@Suite struct LineShapesTests {
  private func shapes(_ lines: String...) -> [LineShape] {
    var shapes = LineShapes()
    for line in lines { shapes.add(line) }
    return shapes.withAddress
  }

  @Test func linesThatDifferInNamesAndNumbersAreOne() {
    let found = shapes(
      "Nov 28 08:20:11 web appd[812]: Failed login for alice from 192.0.2.7 port 4711",
      "Nov 28 08:20:12 web appd[813]: Failed login for bob from 2001:db8::7 port 4712",
      "Nov 28 08:20:13 web appd[813]: Login of bob from 192.0.2.3 port 4713",
      "Nov 28 08:20:13 web appd[813]: ready")
    #expect(found.map(\.count) == [2, 1])
    #expect(found.map(\.program) == ["appd", "appd"])
    #expect(found[0].description == "Failed login for USER from ADDRESS port N")
    #expect(found[0].pattern == #"^Failed login for (?<user>[^ ]{1,256}) from <host> port [0-9]+$"#)
  }

  @Test(arguments: [
    ("x 192.0.2.7:4711 y", "x ADDRESS:N y"), ("x [2001:db8::7]:4711 y", "x [ADDRESS]:N y"),
    ("peer 192.0.2.7.", "peer ADDRESS."), ("[28/Nov/2026:08:20:11 +0000] 192.0.2.7", "[N/…/N:N:N:N +N] ADDRESS"),
    (#"user="alice" ip="192.0.2.7""#, #"user="USER" ip="ADDRESS""#),
  ]) func addressesAndNames(line: String, shape: String) {
    #expect(shapes(line).map(\.description) == [shape])
  }

  /// The server's own address is the same on each line.
  @Test func theClientIsTheAddressThatDiffers() throws {
    let found = shapes("denied 192.0.2.7 -> 203.0.113.1", "denied 192.0.2.8 -> 203.0.113.1")
    #expect(found[0].pattern == "^denied <host> -> [0-9A-Fa-f.:]+$")
    let host = found[0].host(in: LineShapes.addresses(in: found[0].example))
    #expect(host == Address("192.0.2.7"))
  }

  @Test func theFilterBehaves() throws {
    let found = shapes(
      "2026-11-28 08:20:11 ERROR login failed (user: it's \"me\", client 192.0.2.7)",
      "2026-11-28 08:20:12 INFO login ok (user: bob, client 192.0.2.3)")
    let text = NewFilter.text(name: "app", log: "/var/log/app.log", failures: [found[0]], spared: [found[1]])
    #expect(text.contains("service: app\n"))
    #expect(
      NewFilter.complaints(
        text, name: "app", clock: LogClock(now: Instant(seconds: 1_795_900_000), zone: ZoneOffsets(name: "UTC")!)
      ).isEmpty, "\(text)")
  }
}
