internal import AuditLog
internal import Curl
internal import Model
internal import Settings
internal import System

/// A mail in X-ARF (version 0.2, https://github.com/abusix/xarf-specification) to whoever answers for the network: a part for
/// people, and one for programs. It has the address, the time and the jail, never a user's name or a line of a log.
struct XARFReport: Destination {
  private let mail: MailSettings
  private let contact: AbuseContact
  private let version: String
  private let transfers = Transfers()

  init(_ settings: AbuseSettings, _ mail: MailSettings, version: String) {
    self.mail = mail
    self.version = version
    contact = AbuseContact(url: settings.url ?? AbuseContact.bootstrap, transport: settings.transport)
  }

  var batch: Int { 1 }

  func wants(_ event: Event) -> Bool { AbuseReport.isReportable(event) }

  func deliver(_ message: Message) throws(DeliveryError) -> String {
    let from = mail.from ?? "root@localhost"
    // A trial goes to whoever sends the reports.
    let to = message.isTest ? [from] : try contact.addresses(of: message.events[0].row.id, transfers)
    guard !to.isEmpty else { return "no contact is known for the network of \(message.events[0].row.id)" }
    let lines = Self.lines(message, from: from, to: to, version: version)
    return try Mail(mail).send(lines, from: from, to: to, host: message.host)
  }

  /// The mail's lines.
  static func lines(
    _ message: Message, from: String, to: [String], version: String, now: Instant = SystemClock.now()
  ) -> [String] {
    let row = message.events[0].row
    let domain = MailText.domain(message.host)
    let id = "\(message.key).\(message.output)@\(domain)"
    let boundary = "=_bailiff_\(message.key)"
    let date = MailText.date(row.time, offset: 0)
    let what = counted(row.count, "failure")
    let people = [
      "\(message.isTest ? "This is a test. " : "")From \(row.id), an address of your network, there was abuse of \(domain):",
      "\(what) until \(date), in the jail \(row.jail).", "",
      "The part behind this one says the same in X-ARF. Lines of our logs are not sent, since they may hold names of",
      "users; answer this mail if you need them.",
    ]
    let report = [
      "---", "Reported-From: \(from)", "Category: abuse", "Report-Type: login-attack", "Service: \(row.jail)",
      "Version: 0.2", "User-Agent: bailiff \(version)", "Date: \(date)", "Source-Type: ip-address", "Source: \(row.id)",
      "Report-ID: \(id)", "Attachment: none",
      "Schema-URL: http://www.x-arf.org/schema/abuse_login-attack_0.1.2.json",
    ]
    let type = "Content-Type: text/plain; charset=utf-8"
    return [
      "From: Bailiff <\(from)>", "To: \(to.joined(separator: ",\n "))",
      "Subject: abuse report about \(row.id) - \(date)",
      "Date: \(MailText.date(now))", "Message-ID: <\(id)>", "Auto-Submitted: auto-generated", "X-XARF: PLAIN",
      "MIME-Version: 1.0", "Content-Type: multipart/mixed; boundary=\"\(boundary)\"", "", "--\(boundary)", type, "",
    ] + people + ["", "--\(boundary)", "\(type); name=\"report.txt\"", ""] + report + ["", "--\(boundary)--"]
  }
}
