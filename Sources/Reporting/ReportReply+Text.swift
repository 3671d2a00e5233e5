internal import Model
internal import System

extension ReportReply {
  /// How it is, for people: `ready, 48.2 KiB, PDF, sent to mails`.
  public var standing: String {
    switch state {
    case .making: return "being made"
    case .failed: return "failed: \(problem ?? "")"
    case .ready: break
    }
    var parts = ["ready, \(byteSize(UInt64(bytes ?? 0)))"]
    parts.append(pdfBytes.map { "PDF \(byteSize(UInt64($0)))" } ?? "no PDF: \(pdfProblem ?? "")")
    if let output {
      parts.append(sent == nil ? "not yet sent to \(output): \(sendProblem ?? "")" : "sent to \(output)")
    }
    return parts.joined(separator: ", ")
  }
}
