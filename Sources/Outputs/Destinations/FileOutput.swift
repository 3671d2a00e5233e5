internal import Glibc
internal import Settings
internal import System

/// Lines added to a file, which is opened for each message: it may be rotated at any time.
struct FileOutput: Destination {
  let settings: FileOutputSettings

  var batch: Int { 1000 }

  func deliver(_ message: Message) throws(DeliveryError) -> String {
    let lines = message.events.compactMap { settings.format.line($0, of: message) }
    guard !lines.isEmpty else { return "nothing to write" }
    do {
      // A symbolic link that somebody put there is not followed: the daemon may write where others may not.
      let file = try Descriptor.open(
        settings.path, flags: O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK, mode: 0o640)
      guard let before = FileStatus.of(descriptor: file.raw), before.isRegular else {
        throw SystemError(code: EINVAL, operation: "write to \(settings.path), which is no file")
      }
      do { try file.write(Array((lines.joined(separator: "\n") + "\n").utf8)) } catch {
        // Half a line would spoil the next one; all of them come again.
        _ = ftruncate(file.raw, off_t(before.size))
        throw SystemError(code: error.code, operation: "write to \(settings.path)")
      }
    } catch { throw .unreachable("\(error)") }
    return "\(counted(lines.count, "line")) added to \(settings.path)"
  }
}
