import ArgumentParser
import Glibc
import Inspection
import Model
import Settings
import System

struct FilterNew: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "new",
    abstract: "Propose a filter from a log's lines.",
    discussion: """
      Examples:
        bailiff filter new /var/log/app.log
        bailiff filter new /var/log/app.log --name app --failures 1,3 --write /etc/bailiff/filters/app.yaml

      Lines are grouped by what they have in common when addresses, numbers and names are left out. It asks which groups are \
      failures (--failures answers by their numbers) and prints the filter, with lines of the log as its samples. Without an answer \
      and without a terminal it prints the groups.

      Read what it proposes before you use it: only you know which part of a line the client writes (docs/filters.md).
      """)

  @Argument(help: "A log; - for standard input.", completion: .file())
  var log: String
  @Option(help: ArgumentHelp("The service; the log's name unless given.", valueName: "name"))
  var name: String?
  @Option(help: ArgumentHelp("Which groups are failures, with commas.", valueName: "numbers"))
  var failures: String?
  @Option(
    help: ArgumentHelp("Write it there, where no file is yet.", valueName: "file"),
    completion: .file(extensions: ["yaml"]))
  var write: String?
  @Option(help: ArgumentHelp("How many groups to show.", valueName: "number"))
  var limit = 30
  @OptionGroup var clock: ClockOptions

  func validate() throws {
    if limit < 1 { throw ValidationError("--limit needs at least 1") }
    if let name, name.isEmpty || !name.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || "._-".contains($0)) })
    {
      throw ValidationError("--name takes letters, digits, `.`, `_` and `-`")
    }
  }

  func run() throws {
    var shapes = LineShapes()
    try LogLines.forEachBatch(in: log) { batch in
      for line in batch.bytes.split(separator: UInt8(ascii: "\n")) {
        shapes.add(String(decoding: line.prefix(4096), as: UTF8.self))
      }
    }
    let found = Array(shapes.withAddress.prefix(limit))
    guard !found.isEmpty else {
      throw CommandFailure(.rejected, "no line of \(printable(log)) has an address: nobody could be banned by it")
    }
    guard let numbers = try chosen(found) else { return }
    let service = name ?? Self.service(log)
    let text = NewFilter.text(
      name: service, log: log == "-" ? nil : Self.absolute(log), failures: numbers.map { found[$0] },
      spared: found.indices.filter { !numbers.contains($0) }.map { found[$0] })
    let complaints = NewFilter.complaints(text, name: service, clock: try clock.clock())
    var output = Output()
    if let write {
      // Safe: access(2) reads the path during the call.
      guard unsafe access(write, F_OK) != 0 else {
        throw CommandFailure(.usage, "\(printable(write)) is there already; name another file, or remove it")
      }
      try SmallFile.replace(write, with: Array(text.utf8))
      output.line(printable("\(write) is written; bailiff filter test \(write) \(log) shows what it finds"))
    } else {
      output.write(text)
    }
    output.flush()
    for complaint in complaints { Diagnostics.write(complaint.description + "\n") }
    if !complaints.isEmpty { throw CommandFailure(.rejected) }
  }

  /// Nil: nobody answers, and the groups are shown.
  private func chosen(_ shapes: [LineShape]) throws -> [Int]? {
    if let failures { return try numbers(failures, shapes.count) }
    var output = Output()
    var table = Table([.number(""), .number("LINES"), .number("ADDRESSES"), .rest("SHAPE")])
    for (index, shape) in shapes.enumerated() {
      let addresses = shape.addresses.map(\.count).max() ?? 0
      table.add([
        "\(index + 1)", grouped(shape.count), grouped(addresses),
        (shape.program.map { "\($0): " } ?? "") + shape.description,
      ])
    }
    table.print(to: &output, on: Terminal())
    output.flush()
    guard isatty(STDIN_FILENO) != 0, log != "-" else {
      Diagnostics.write("say which are failures: --failures 1,3\n")
      return nil
    }
    Diagnostics.write("which are failures? numbers with commas: ")
    guard let answer = readLine(), !answer.isEmpty else { return nil }
    return try numbers(answer, shapes.count)
  }

  private func numbers(_ text: String, _ count: Int) throws -> [Int] {
    let parts = text.split { ", ".contains($0) }
    let numbers = parts.compactMap { Int($0) }.filter { (1...count).contains($0) }
    guard !parts.isEmpty, numbers.count == parts.count else {
      throw ValidationError("`\(printable(text))`: write numbers from 1 to \(count), with commas")
    }
    return numbers.map { $0 - 1 }
  }

  /// `/var/log/app/app.log.1` → `app`
  private static func service(_ path: String) -> String {
    let file = path.split(separator: "/").last.map(String.init) ?? "service"
    let name = file.prefix { $0 != "." }.filter { $0.isASCII && ($0.isLetter || $0.isNumber || "_-".contains($0)) }
    return name.isEmpty ? "service" : String(name)
  }

  private static func absolute(_ path: String) -> String {
    // Safe: realpath(3) with no buffer allocates one, which is copied and freed here.
    guard let real = unsafe realpath(path, nil) else { return path }
    defer { unsafe free(real) }
    return unsafe String(cString: real)
  }
}
