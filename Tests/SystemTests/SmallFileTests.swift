import Glibc
import System
import TestSupport
import Testing

@Suite struct SmallFileTests {
  private let files: TestDirectory
  private var directory: String { files.path }

  init() throws {
    files = try TestDirectory("system")
    try Directory.make(directory + "/a/b")
  }

  @Test func isReplacedInOneStep() throws {
    let path = directory + "/a/file"
    try SmallFile.replace(path, with: Array("one".utf8), mode: 0o600)
    try SmallFile.replace(path, with: Array("two".utf8), mode: 0o600)
    #expect(SmallFile.text(path) == "two")
    #expect(try FileStatus.of(path: path).mode & 0o777 == 0o600)
    #expect(try Directory.names(directory + "/a") == ["b", "file"])
  }

  @Test func whatIsNoSmallFileIsRefused() throws {
    let path = directory + "/long"
    try SmallFile.replace(path, with: Array(repeating: 65, count: 101))
    #expect(throws: SystemError(code: EFBIG, operation: "read \(path)")) { try SmallFile.read(path, limit: 100) }
    #expect(try SmallFile.read(path, limit: 101).count == 101)
    #expect(throws: SystemError(code: EISDIR, operation: "read \(directory)")) { try SmallFile.read(directory) }
    #expect(throws: SystemError(code: EINVAL, operation: "read /dev/zero")) { try SmallFile.read("/dev/zero") }
    #expect(throws: SystemError(code: ENOENT, operation: "open \(directory)/none")) {
      try SmallFile.read(directory + "/none")
    }
    // What the kernel makes up has no size.
    #expect(SmallFile.text("/proc/self/comm")?.isEmpty == false)
  }

  @Test func aDirectoryThatCannotBeMadeSaysWhy() throws {
    try SmallFile.replace(directory + "/file", with: [])
    #expect(throws: SystemError(code: ENOTDIR, operation: "make the directory \(directory)/file")) {
      try Directory.make(directory + "/file")
    }
    #expect(throws: SystemError.self) { try Directory.make("/proc/x/y") }
  }
}
