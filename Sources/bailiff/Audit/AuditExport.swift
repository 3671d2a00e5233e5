import ArgumentParser
import AuditLog
import Inspection
import JSON
import Model
import Settings
import System

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
    let reader = try AuditStore.readOnly(path: try config.places().database)
    let sink = try ExportSink(output)
    let progress = Progress()
    var position = try reader.beginning()
    let last = try reader.end()
    var count = 0
    do {
      while true {
        let delivery = try reader.rows(after: position, AuditFilter())
        position = delivery.end
        var text = JSONText()
        for row in delivery.rows where end.map({ row.time < $0 }) ?? true {
          JSONOutput.append(row, to: &text)
          text.endLine()
          count += 1
        }
        try sink.write(text.bytes)
        progress.show { "\(grouped(count)) rows exported" }
        if position.hasReached(last) { break }
      }
      try sink.close()
    } catch {
      progress.clear()
      sink.discard()
      throw error
    }
    progress.clear()
    if let output { Diagnostics.write("\(grouped(count)) rows in \(printable(output))\n") }
  }
}
