import Glibc
import System

/// Something that nobody should see being typed.
enum Password {
  /// Does a person type it?
  static var isTyped: Bool { isatty(STDIN_FILENO) == 1 }

  /// One line of standard input; on a terminal it is asked for and not shown (termios(3), `ECHO`).
  static func read(_ prompt: String) throws -> String {
    var shown = termios()
    // Safe: tcgetattr(3) fills the struct that it is given; it fails where that is no terminal.
    let isHidden = unsafe tcgetattr(STDIN_FILENO, &shown) == 0
    if isHidden {
      Diagnostics.write(prompt)
      var hidden = shown
      hidden.c_lflag &= ~tcflag_t(ECHO)
      // Safe: tcsetattr(3) reads the struct during the call.
      _ = unsafe tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden)
    }
    defer {
      if isHidden {
        // Safe: as above.
        _ = unsafe tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown)
        Diagnostics.write("\n")
      }
    }
    guard let line = readLine(), !line.isEmpty else { throw CommandFailure(.usage, "there is no password") }
    return line
  }
}
