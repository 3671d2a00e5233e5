import Glibc

/// What an output is connected to.
struct Terminal {
  /// Columns; nil when it is no terminal, and then nothing is cut.
  var width: Int?
  var hasColour = false
  /// It knows no control sequences.
  let isDumb = variable("TERM") == "dumb"

  init(of output: Int32 = STDOUT_FILENO) {
    guard isatty(output) == 1 else { return }
    var size = winsize()
    // Safe: TIOCGWINSZ fills the structure that it is given (ioctl_tty(2)).
    let result = unsafe ioctl(output, UInt(TIOCGWINSZ), &size)
    width = result == 0 && size.ws_col > 0 ? Int(size.ws_col) : 80
    // https://no-color.org: set and not empty.
    hasColour = Self.variable("NO_COLOR").isEmpty && !isDumb
  }

  private static func variable(_ name: String) -> String {
    // Safe: getenv's text lives as long as nobody changes the environment, and it is copied at once.
    guard let text = unsafe getenv(name) else { return "" }
    return unsafe String(cString: text)
  }

  enum Style: String {
    case bold = "1"
    case dim = "2"
    case red = "31"
    case green = "32"
    case yellow = "33"
  }

  func styled(_ text: String, _ style: Style) -> String {
    hasColour && !text.isEmpty ? "\u{1b}[\(style.rawValue)m\(text)\u{1b}[0m" : text
  }
}
