package import Model
internal import System

/// Charts as inline SVG: no script, no font, no network.
package enum Chart {
  /// Bars over time with both axes. `values` are the sums of equal steps, the first of which begins at `start`.
  package static func bars(_ values: [Int], from start: Instant, step: TimeSpan, label: String, colour: String)
    -> String
  {
    let (width, height, left, bottom, top) = (720.0, 230.0, 60.0, 34.0, 20.0)
    let most = scaleTop(values.max() ?? 0)
    let plot = (width: width - left - 8, height: height - bottom - top)
    var svg = #"<svg viewBox="0 0 \#(Int(width)) \#(Int(height))" role="img" aria-label="\#(HTML.escape(label))">"#
    for i in 0...4 {
      let value = most * i / 4
      let y = top + plot.height * (1 - Double(i) / 4)
      svg += #"<line x1="\#(left)" x2="\#(width - 8)" y1="\#(tenth(y))" y2="\#(tenth(y))" class="grid"/>"#
      svg += #"<text x="\#(left - 6)" y="\#(tenth(y + 4))" class="end">\#(short(value))</text>"#
    }
    let slot = plot.width / Double(max(1, values.count))
    for (i, value) in values.enumerated() where value > 0 {
      let bar = max(1, plot.height * Double(value) / Double(most))
      let begin = start.adding(TimeSpan(microseconds: step.microseconds * Int64(i)))
      svg += #"<rect x="\#(tenth(left + slot * Double(i)))" y="\#(tenth(top + plot.height - bar))" "#
      svg += #"width="\#(tenth(max(0.6, slot * 0.86)))" height="\#(tenth(bar))" fill="\#(colour)">"#
      svg += "<title>\(HTML.escape(LocalTime.text(begin))): \(grouped(value))</title></rect>"
    }
    svg +=
      #"<line x1="\#(left)" x2="\#(width - 8)" y1="\#(top + plot.height)" y2="\#(top + plot.height)" class="axis"/>"#
    for (i, text) in ticks(values.count, from: start, step: step) {
      let x = left + slot * Double(i)
      // A name at the very end would be out of the picture.
      guard x < width - 40 else { continue }
      svg +=
        #"<line x1="\#(tenth(x))" x2="\#(tenth(x))" y1="\#(top + plot.height)" y2="\#(top + plot.height + 5)" class="axis"/>"#
      svg += #"<text x="\#(tenth(x))" y="\#(height - 12)" class="tick">\#(text)</text>"#
    }
    return svg + "</svg>"
  }

  /// Where the axis of time is marked, seven times at most: at full hours or midnights of this machine's zone, as far apart
  /// as one another; a midnight is named by its day.
  static func ticks(_ count: Int, from start: Instant, step: TimeSpan) -> [(index: Int, text: String)] {
    let hours = max(1, Int(clamping: step.seconds / 3600))
    let distances = [1, 2, 3, 6, 12, 24, 48, 72, 168, 336, 720, 1440, 2160, 4320, 8760]
    let distance = max(hours, distances.first { count * hours / $0 < 7 } ?? 8760 * (1 + count * hours / 61_320))
    var ticks: [(index: Int, text: String)] = []
    var midnights = 0
    for i in 0..<count {
      // `2026-11-24 06:00:00 UTC`
      let local = LocalTime.text(start.adding(TimeSpan(microseconds: step.microseconds * Int64(i)))).utf8.map { $0 }
      guard local.count > 16, let hour = Int(String(decoding: local[11..<13], as: UTF8.self)) else { continue }
      let isMidnight = hours >= 24 || hour < hours
      if distance >= 24, !isMidnight || midnights * max(24, hours) % distance != 0 {
        midnights += isMidnight ? 1 : 0
        continue
      }
      midnights += isMidnight ? 1 : 0
      if distance < 24, hour % distance >= hours { continue }
      ticks.append((i, String(decoding: isMidnight ? local[5..<10] : local[11..<16], as: UTF8.self)))
    }
    return ticks
  }

  /// Names with a bar and a number each.
  package static func ranking(_ entries: [(name: String, value: Int, note: String)], colour: String) -> String {
    guard let most = entries.map(\.value).max(), most > 0 else { return "<p class=\"none\">none</p>" }
    let hasNotes = entries.contains { !$0.note.isEmpty }
    var html = "<table class=\"ranking\">"
    for entry in entries {
      let share = tenth(max(0.5, Double(entry.value) / Double(most) * 100))
      html += "<tr><th scope=\"row\">\(HTML.escape(entry.name))</th><td class=\"number\">\(grouped(entry.value))</td>"
      html += "<td class=\"bar\"><svg viewBox=\"0 0 100 10\" preserveAspectRatio=\"none\" aria-hidden=\"true\">"
      html += "<rect width=\"\(share)\" height=\"10\" fill=\"\(colour)\"/></svg></td>"
      html += hasNotes ? "<td class=\"note\">\(HTML.escape(entry.note))</td></tr>" : "</tr>"
    }
    return html + "</table>"
  }

  /// The end of the axis: 1, 2, 4 or 10 times a power of ten that covers `value` and divides into quarters.
  static func scaleTop(_ value: Int) -> Int {
    var unit = 4
    while true {
      for factor in [1, 2, 5] where unit * factor >= value { return unit * factor }
      let (next, overflow) = unit.multipliedReportingOverflow(by: 10)
      if overflow { return value }
      unit = next
    }
  }

  /// `950`, `1.2k`, `3M`.
  private static func short(_ value: Int) -> String {
    switch value {
    case 1_000_000...: "\(tenth(Double(value) / 1_000_000))M"
    case 10_000...: "\(tenth(Double(value) / 1000))k"
    default: "\(value)"
    }
  }

  private static func tenth(_ value: Double) -> String {
    let tenths = Int((value * 10).rounded())
    return tenths % 10 == 0 ? "\(tenths / 10)" : "\(tenths / 10).\(abs(tenths % 10))"
  }
}
