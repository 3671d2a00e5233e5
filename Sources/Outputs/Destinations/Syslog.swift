internal import AuditLog
internal import Curl
internal import Glibc
internal import Model
internal import Settings
internal import System

/// Lines to a syslog daemon: this machine's in the traditional form that /dev/log takes, others' in that of RFC 5424.
struct Syslog: Destination {
  let settings: SyslogSettings
  private let transfers = Transfers()

  init(_ settings: SyslogSettings) { self.settings = settings }

  var batch: Int { 100 }

  func deliver(_ message: Message) throws(DeliveryError) -> String {
    let records = message.events.compactMap { record($0, message) }
    guard !records.isEmpty else { return "nothing to send" }
    switch settings.server {
    case .local(let path):
      try sendEach(records) { () throws(SystemError) in try DatagramSocket.unix(path) }
    case .udp(let host, let port):
      try sendEach(records) { () throws(SystemError) in try DatagramSocket.udp(host: host, port: port) }
    case .tcp(let host, let port): try stream(records, host, port, isTLS: false)
    case .tls(let host, let port): try stream(records, host, port, isTLS: true)
    }
    return "\(counted(records.count, "record")) sent"
  }

  private func sendEach(_ records: [[UInt8]], _ connect: () throws(SystemError) -> DatagramSocket) throws(DeliveryError)
  {
    do throws(SystemError) {
      let socket = try connect()
      for record in records { try socket.send(record) }
    } catch { throw error.code == EMSGSIZE ? .rejected("\(error)") : .unreachable("\(error)") }
  }

  /// Each record with its length before it (RFC 6587, 3.4.1), which every line end may be in.
  private func stream(_ records: [[UInt8]], _ host: String, _ port: Int, isTLS: Bool) throws(DeliveryError) {
    let bytes = records.flatMap { Array("\($0.count) ".utf8) + $0 }
    try transfers.send(bytes, toHost: host, port: port, isTLS: isTLS, options: TransferOptions(settings.transport))
  }

  private func record(_ event: Event, _ message: Message) -> [UInt8]? {
    guard let text = settings.format.line(event, of: message) else { return nil }
    let priority = settings.facility * 8 + event.severity.syslog
    let tag = settings.format == .fail2ban ? Fail2banLine(event.row)?.component ?? "bailiff" : "bailiff"
    let line = settings.format == .fail2ban ? Fail2banLine(event.row)?.syslogText ?? text : text
    if case .local = settings.server {
      return Array("<\(priority)>\(Self.stamp(event.row.time)) \(tag)[\(getpid())]: \(line)".utf8)
    }
    let host = message.host.isEmpty ? "-" : message.host
    return Array("<\(priority)>1 \(event.row.time.rfc3339()) \(host) \(tag) \(getpid()) - - \(line)".utf8)
  }

  /// `Nov 28 15:28:01` (RFC 3164, 4.1.2).
  private static func stamp(_ time: Instant) -> String {
    let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    let local = CivilTime(time, offset: TimeZoneRules.local.offset(at: time))
    func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
    return
      "\(months[local.month - 1]) \(local.day < 10 ? " " : "")\(local.day) \(two(local.hour)):\(two(local.minute)):\(two(local.second))"
  }
}

extension OutputSettings.Severity {
  /// RFC 5424, table 2.
  fileprivate var syslog: Int {
    switch self {
    case .info: 6
    case .notice: 5
    case .warning: 4
    case .critical: 2
    }
  }
}
