internal import Glibc
internal import System

/// inotify(7): tells when a file was written to and when names come and go in a directory.
struct FileWatcher: ~Copyable {
  enum Event {
    /// The file of this watch was written to.
    case grown(watch: Int32)
    /// The file of this watch lost or changed a name, or was truncated by its name's owner.
    case changed(watch: Int32)
    /// A name has come to the directory of this watch, or left it.
    case came(watch: Int32, String)
    case left(watch: Int32, String)
    /// The kernel removed the watch, because what it watched is gone.
    case removed(watch: Int32)
    /// Events were dropped: look at everything.
    case overflow
  }

  let descriptor: Descriptor
  private var buffer = [UInt8](repeating: 0, count: 16 << 10)

  init() throws(SystemError) {
    let raw = inotify_init1(Int32(IN_CLOEXEC | IN_NONBLOCK))
    guard raw >= 0 else { throw .last("create an inotify instance (fs.inotify.max_user_instances bounds them)") }
    descriptor = Descriptor(raw)
  }

  /// Watches the very file that is open, not what its path may lead to by now: /proc/self/fd is followed to the inode.
  func watch(file: Int32) -> Int32? {
    add("/proc/self/fd/\(file)", UInt32(IN_MODIFY | IN_ATTRIB | IN_MOVE_SELF | IN_DELETE_SELF))
  }

  func watch(directory: String) -> Int32? {
    add(
      directory,
      UInt32(IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_DELETE_SELF | IN_MOVE_SELF) | UInt32(IN_ONLYDIR))
  }

  private func add(_ path: String, _ mask: UInt32) -> Int32? {
    // Safe: inotify_add_watch(2) reads the path during the call.
    let watch = unsafe inotify_add_watch(descriptor.raw, path, mask)
    return watch >= 0 ? watch : nil
  }

  func remove(_ watch: Int32) { _ = inotify_rm_watch(descriptor.raw, watch) }

  /// Calls `body` with every event that is there.
  mutating func drain(_ body: (Event) -> Void) {
    while true {
      // Safe: read(2) writes at most the buffer's own count.
      let count = unsafe buffer.withUnsafeMutableBytes { bytes in
        retrying { unsafe Glibc.read(descriptor.raw, bytes.baseAddress, bytes.count) }
      }
      guard count > 0 else { return }
      var at = 0
      let header = MemoryLayout<inotify_event>.size
      while at + header <= count {
        // Safe: the kernel writes whole events: a header, then `len` bytes of name padded with NUL.
        let event = unsafe buffer.withUnsafeBytes {
          unsafe $0.loadUnaligned(fromByteOffset: at, as: inotify_event.self)
        }
        let name = buffer[min(at + header, count)..<min(at + header + Int(event.len), count)]
        at += header + Int(event.len)
        if let event = Self.event(event, name) { body(event) }
      }
      // Where another event would have fitted there was none.
      if count + header + Int(NAME_MAX) < buffer.count { return }
    }
  }

  private static func event(_ event: inotify_event, _ name: ArraySlice<UInt8>) -> Event? {
    func has(_ mask: Int32) -> Bool { event.mask & UInt32(bitPattern: mask) != 0 }
    if has(Int32(IN_Q_OVERFLOW)) { return .overflow }
    if has(Int32(IN_IGNORED)) { return .removed(watch: event.wd) }
    if event.len > 0 {
      let name = String(decoding: name.prefix { $0 != 0 }, as: UTF8.self)
      return has(Int32(IN_CREATE | IN_MOVED_TO)) ? .came(watch: event.wd, name) : .left(watch: event.wd, name)
    }
    return has(Int32(IN_MODIFY)) ? .grown(watch: event.wd) : .changed(watch: event.wd)
  }
}
