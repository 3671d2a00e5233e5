// Commits numbered failures to a store until it is killed: `storewriter PATH [FILE]`. Each commit holds 7 failures, a ban and the
// offset behind them; the next one begins at the stored position, as the daemon does after a crash. With FILE, a consumer of the
// log writes the number of each ban to it.

import AuditLog
import Foundation
import Model

func write(to path: String, telling file: String?) throws {
  let store = try AuditStore(path: path)
  let consumers = Consumers(path: path, store: { store }, spawn: { Thread.detachNewThread($1) })
  if let file { try consumers.start([consumer(file)]) }
  let names = Names(
    jails: ["sshd"], patterns: [PatternName(filter: "sshd", name: "p", file: "f")], sources: ["log"])
  var next: UInt64 = 0
  if case .file(_, let offset) = try store.positions().first?.position { next = offset }
  var batch = FailureBatch()
  while true {
    batch.removeAll()
    for _ in 0..<7 {
      var failure = Failure(
        time: Instant(seconds: 1_795_171_200 + Int64(next) * 2),
        address: Address(ipv4: UInt32(truncatingIfNeeded: next)),
        jail: 0, pattern: 0, source: 0)
      let line = Array("failure number \(next)".utf8)
      failure.line = batch.store(line.span)
      failure.offset = next
      batch.append(failure)
      next += 1
    }
    let identity = FileIdentity(device: 1, inode: 2, fingerprint: 3, fingerprintLength: 4)
    batch.positions = [SourcePosition(source: "log", position: .file(identity, offset: next))]
    let ban = Decision(
      action: .ban, jail: "sshd", identity: .network(Subnet(batch.failures[0].address)), time: batch.failures[0].time,
      until: nil, count: 7)
    try store.commit(batch, names: names, decisions: [ban])
    consumers.stored(store.end, at: batch.failures[0].time)
    if next % 5 == 0 { try store.storeAdded() }
  }
}

func consumer(_ path: String) -> DecisionConsumer {
  DecisionConsumer(name: "told", kinds: [.ban], start: .beginning, limit: 3) { rows in
    let text = rows.map { "\($0.number)\n" }.joined()
    // Safe: the path and the text are read during the calls only.
    let file = unsafe open(path, O_WRONLY | O_APPEND | O_CREAT, 0o600)
    defer { close(file) }
    return unsafe write(file, text, text.utf8.count) == text.utf8.count ? .done : .later(.milliseconds(10))
  }
}

do {
  let arguments = CommandLine.arguments
  try write(to: arguments[1], telling: arguments.count > 2 ? arguments[2] : nil)
} catch {
  FileHandle.standardError.write(Data("\(error)\n".utf8))
  exit(1)
}
