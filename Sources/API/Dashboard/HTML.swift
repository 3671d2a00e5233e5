import Model
import Reporting
import System

/// Markup. What is interpolated into it is text, whoever wrote it: attackers choose user names, paths and agents.
///
/// ```swift
/// let cell: HTML = "<td>\(row.user)</td>"   // <td>&lt;script&gt;</td>
/// ```
struct HTML: ExpressibleByStringInterpolation, Sendable {
  private(set) var text: String

  init(stringLiteral value: String) { text = value }
  init(stringInterpolation interpolation: Interpolation) { text = interpolation.text }

  /// Markup that was made elsewhere, escaped there.
  init(trusted text: String) { self.text = text }

  struct Interpolation: StringInterpolationProtocol {
    fileprivate var text = ""

    init(literalCapacity: Int, interpolationCount: Int) { text.reserveCapacity(literalCapacity * 2) }

    mutating func appendLiteral(_ literal: String) { text += literal }
    mutating func appendInterpolation(_ html: HTML) { text += html.text }
    mutating func appendInterpolation(_ parts: [HTML]) { for part in parts { text += part.text } }
    mutating func appendInterpolation(_ number: some BinaryInteger) { text += "\(number)" }
    /// Lines that stay lines; what else is unprintable is shown as it would be anywhere.
    mutating func appendInterpolation(lines string: String) {
      let lines = string.split(separator: "\n", omittingEmptySubsequences: false)
      text += lines.map { Reporting.HTML.escape(String($0)) }.joined(separator: "\n")
    }
    mutating func appendInterpolation(_ string: String) { text += Reporting.HTML.escape(string) }
  }

  static func + (a: HTML, b: HTML) -> HTML { HTML(trusted: a.text + b.text) }
  static func += (a: inout HTML, b: HTML) { a.text += b.text }
}

extension HTML {
  /// A path of this server's with a query; parameters that are nil or empty are left out.
  static func link(_ path: String, _ query: [(name: String, value: String?)] = []) -> String {
    let pairs = query.compactMap { pair in
      pair.value.flatMap { $0.isEmpty ? nil : "\(pair.name)=\(encoded($0))" }
    }
    return pairs.isEmpty ? path : path + "?" + pairs.joined(separator: "&")
  }

  /// Percent-encoded (RFC 3986, 2.3).
  static func encoded(_ text: String) -> String {
    let digits = Array("0123456789ABCDEF".utf8)
    var bytes: [UInt8] = []
    for byte in text.utf8 {
      switch byte {
      case 48...57, 65...90, 97...122, UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"):
        bytes.append(byte)
      default: bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Everything that is known of an address is behind its name.
  static func address(_ id: String) -> HTML {
    id.isEmpty ? "" : "<a href=\"\(link("/address", [("id", id)]))\">\(id)</a>"
  }

  /// The server's zone; a script adds the viewer's.
  static func time(_ instant: Instant) -> HTML {
    "<time datetime=\"\(instant.rfc3339())\">\(LocalTime.text(instant))</time>"
  }

  static func table(_ head: [String], _ rows: [[HTML]], none: String) -> HTML {
    guard !rows.isEmpty else { return "<p class=\"none\">\(none)</p>" }
    // What heads a column of buttons has no name.
    let names = head.map { $0.isEmpty ? "<td></td>" : "<th scope=\"col\">\($0)</th>" as HTML }
    let lines = rows.map { cells in "<tr>\(cells.map { "<td>\($0)</td>" as HTML })</tr>" as HTML }
    return """
      <div class="scroll" tabindex="0" role="group" aria-label="table"><table><thead><tr>\(names)</tr></thead><tbody>\(lines)</tbody></table></div>
      """
  }

  static func section(_ title: String, id: String? = nil, _ body: HTML) -> HTML {
    let id: HTML = id.map { " id=\"\($0)\"" } ?? ""
    return "<section\(id)><h2>\(title)</h2>\(body)</section>"
  }

  static func figures(_ figures: [(value: String, name: String)]) -> HTML {
    "<div class=\"figures\">\(figures.map { "<div><b>\($0.value)</b><span>\($0.name)</span></div>" as HTML })</div>"
  }

  /// A command for the terminal, with a button that copies it.
  static func command(_ text: String) -> HTML {
    "<p class=\"command\"><code>\(text)</code> <button type=\"button\" data-copy=\"\(text)\" hidden>copy</button></p>"
  }
}
