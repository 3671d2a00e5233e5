import Glibc

/// The lines of a log for the commands that look at single lines; `-` is standard input. Lines are cut where the daemon cuts
/// them.
enum LogLines {
  static let longestLine = 64 << 10

  /// Lends each line without its line end, and its number from 1.
  static func forEach(in path: String, _ body: (borrowing Span<UInt8>, Int) throws -> Void) throws {
    let file = path == "-" ? STDIN_FILENO : unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { throw CommandFailure(.usage, "\(path) cannot be read: \(systemMessage(errno))") }
    defer { if file != STDIN_FILENO { close(file) } }
    var chunk = [UInt8](repeating: 0, count: 256 << 10)
    var line: [UInt8] = []
    var number = 0
    var isPending = false

    func end() throws {
      number += 1
      if line.last == UInt8(ascii: "\r") { line.removeLast() }
      try body(line.span, number)
      line.removeAll(keepingCapacity: true)
      isPending = false
    }

    while true {
      // Safe: at most the array's size is read.
      let count = unsafe read(file, &chunk, chunk.count)
      if count < 0 {
        if errno == EINTR { continue }
        throw CommandFailure(.usage, "\(path) cannot be read: \(systemMessage(errno))")
      }
      guard count > 0 else { break }
      var start = 0
      while start < count {
        let stop = chunk[start..<count].firstIndex(of: UInt8(ascii: "\n")) ?? count
        line.append(contentsOf: chunk[start..<min(stop, start + max(0, longestLine - line.count))])
        isPending = true
        if stop < count { try end() }
        start = stop + 1
      }
    }
    if isPending { try end() }
  }
}
