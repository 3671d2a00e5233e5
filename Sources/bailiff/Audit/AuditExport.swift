import ArgumentParser
import Foundation
import Model
import Settings
import Store

struct AuditExport: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export", abstract: "Everything up to a time as JSON lines, in the order of its commit.",
    discussion: """
      Examples:
        bailiff audit export --before 90d --output audit-2026.jsonl.zst
        bailiff audit export | gzip > audit.jsonl.gz

      The file's ending says how it is compressed: .gz, .zst or .xz, by the program of that name.
      """)

  @OptionGroup var config: ConfigOptions
  @Option(help: ArgumentHelp("Only rows before this time.", valueName: "time"))
  var before: String?
  @Option(help: ArgumentHelp("Where to; standard output unless given.", valueName: "file"), completion: .file())
  var output: String?

  func run() throws {
    let end = try before.map { try parsePast($0, option: "--before") }
    let reader = try AuditStore.readOnly(path: try config.general().database)
    let sink = try Sink(output)
    var mark = FollowMark.beginning
    let last = try reader.mark()
    var count = 0
    while true {
      let rows = try reader.rows(after: &mark, AuditFilter())
      var text = ""
      for row in rows where end.map({ row.time < $0 }) ?? true {
        text += JSON.object(row.members).description + "\n"
        count += 1
      }
      try sink.write(text)
      if rows.isEmpty, mark.isAtOrBehind(last) { break }
    }
    try sink.close()
    if let output { Diagnostics.write("\(grouped(count)) rows in \(printable(output))\n") }
  }
}

/// Standard output, a file, or a compressor that writes a file.
private final class Sink {
  private let handle: FileHandle
  private let compressor: Process?
  private let path: String?

  init(_ path: String?) throws {
    self.path = path
    guard let path else {
      handle = .standardOutput
      compressor = nil
      return
    }
    // Safe: open(2) reads the path during the call.
    let file = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    guard file >= 0 else { throw CommandFailure(.no, "\(path): cannot be written: \(systemMessage(errno))") }
    let target = FileHandle(fileDescriptor: file, closeOnDealloc: true)
    let programs = [".gz": "gzip", ".zst": "zstd", ".xz": "xz"]
    guard let program = programs.first(where: { path.hasSuffix($0.key) })?.value else {
      handle = target
      compressor = nil
      return
    }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [program, "-c"]
    let pipe = Pipe()
    process.standardInput = pipe
    process.standardOutput = target
    try process.run()
    handle = pipe.fileHandleForWriting
    compressor = process
  }

  func write(_ text: String) throws {
    do { try handle.write(contentsOf: Data(text.utf8)) } catch {
      throw CommandFailure(.no, "\(path ?? "standard output"): cannot be written: is the disk full?")
    }
  }

  func close() throws {
    guard path != nil else { return }
    try? handle.close()
    compressor?.waitUntilExit()
    if let compressor, compressor.terminationStatus != 0 {
      throw CommandFailure(.no, "\(path ?? ""): the compressor failed; is it installed? Use another ending, or none")
    }
  }
}
