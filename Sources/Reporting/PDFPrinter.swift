public import Model
internal import System

/// A page on paper, by WeasyPrint (https://weasyprint.org), a program of its own that is asked where it is installed.
public enum PDFPrinter {
  public static let missing = "WeasyPrint is not installed; the Debian package is weasyprint"

  /// Seconds; a page of a year takes some five.
  static let patience = 120.0

  /// - Parameters:
  ///   - html: a file; nothing else is loaded from anywhere, since its page asks for nothing.
  ///   - pdf: the file that is written.
  /// - Throws: `RequestError` that says what helps.
  public static func print(_ html: String, to pdf: String) throws(RequestError) {
    guard let path = Program.find("weasyprint", in: ["/usr/bin", "/usr/local/bin"]) else {
      throw RequestError(.failed, missing)
    }
    // Behind everything else that runs.
    let nice = Program.find("nice")
    let program = Program(
      path: nice ?? path, arguments: (nice == nil ? [] : ["-n", "19", path]) + ["-q", html, pdf],
      environment: Program.environment + ["HOME=/nonexistent"])
    let result: Program.Result
    do { result = try program.run(deadline: patience) } catch { throw RequestError(.failed, "\(error)") }
    guard result.status == 0 else {
      let said = result.errors.split(separator: "\n").last.map(String.init) ?? ""
      throw RequestError(.failed, "WeasyPrint ended with \(result.status): \(printable(truncated(said, to: 200)))")
    }
  }
}
