import Foundation

/// A file that is rewritten for each run. It is never synced, as FileManager's are, which would be most of the work.
struct ScratchFile {
  let path: String
  private let descriptor: Int32

  init(_ path: String) {
    self.path = path
    // Safe: open(2) reads the path during the call.
    descriptor = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    require(descriptor >= 0, "cannot make \(path)")
  }

  func replace(with bytes: [UInt8]) {
    require(ftruncate(descriptor, 0) == 0, "cannot empty \(path)")
    // Safe: pwrite(2) reads the bytes during the call.
    let written = unsafe pwrite(descriptor, bytes, bytes.count, 0)
    require(written == bytes.count, "cannot write \(path)")
  }
}
