import Glibc
import System

/// One line on standard error that says how far long work has come, where somebody looks on. It comes after a second, is
/// renewed five times a second, and is gone when the work is done.
final class Progress {
  private let isWatched: Bool
  private let width: Int
  private var next = ContinuousClock.now + .seconds(1)
  private var isShown = false

  init() {
    let terminal = Terminal(of: STDERR_FILENO)
    isWatched = terminal.width != nil && !terminal.isDumb
    width = terminal.width ?? 80
  }

  /// Cheap where nothing is to be shown: `text` is made only then.
  func show(_ text: () -> String) {
    guard isWatched, ContinuousClock.now >= next else { return }
    next = .now + .milliseconds(200)
    isShown = true
    Diagnostics.write("\r\u{1b}[K" + truncated(printable(text()), to: width - 1))
  }

  /// Before anything else is written to the terminal.
  func clear() {
    guard isShown else { return }
    isShown = false
    Diagnostics.write("\r\u{1b}[K")
  }
}
