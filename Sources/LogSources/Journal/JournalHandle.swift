internal import CSystemd
internal import Glibc
internal import System

/// The one owner of an sd_journal (sd-journal(3)); used by one thread only, as libsystemd demands.
@safe final class JournalHandle {
  /// Safe: opened in `init`, closed in `deinit`, never handed out.
  @unsafe private let journal: OpaquePointer

  /// This machine's journal, or the files of a directory.
  init(directory: String?) throws(SystemError) {
    var opened: OpaquePointer?
    let code: Int32
    // Safe: sd_journal_open(3) fills the pointer when it succeeds.
    if let directory {
      code = unsafe sd_journal_open_directory(&opened, directory, 0)
    } else {
      code = unsafe sd_journal_open(&opened, Int32(SD_JOURNAL_LOCAL_ONLY))
    }
    guard code >= 0, let opened = unsafe opened else {
      throw SystemError(code: -code, operation: "open the journal\(directory.map { " in \($0)" } ?? "")")
    }
    unsafe journal = opened
    // One byte more than can be delivered, so that what is cut is known to be.
    _ = unsafe sd_journal_set_data_threshold(journal, LineLimit.bytes + "MESSAGE=".utf8.count + 1)
  }

  deinit {
    // Safe: see `journal`.
    unsafe sd_journal_close(journal)
  }

  private static func check(_ code: Int32, _ operation: String) throws(SystemError) {
    if code < 0 { throw SystemError(code: -code, operation: operation) }
  }

  // Safe, all of the following: the journal is open (see `journal`), and pointers are used only during the call.

  /// Are there any journal files?
  var hasFiles: Bool {
    unsafe sd_journal_has_persistent_files(journal) > 0 || sd_journal_has_runtime_files(journal) > 0
  }

  /// Entries that `match` fits, and journald's own about messages that it dropped.
  func add(_ match: JournalMatch, hasDropNotices: Bool = true) throws(SystemError) {
    guard !match.groups.isEmpty else { return }
    for (i, group) in (match.groups + (hasDropNotices ? [DropNotice.match] : [])).enumerated() {
      if i > 0 { try Self.check(unsafe sd_journal_add_disjunction(journal), "add a journal match") }
      for field in group {
        try Self.check(unsafe sd_journal_add_match(journal, field, field.utf8.count), "match \(field) in the journal")
      }
    }
  }

  var descriptor: Int32 { unsafe sd_journal_get_fd(journal) }

  /// Takes in what the descriptor told; true when files came or went.
  func process() -> Bool { unsafe sd_journal_process(journal) == Int32(SD_JOURNAL_INVALIDATE) }

  /// False at the end.
  func next() throws(SystemError) -> Bool {
    let code = unsafe sd_journal_next(journal)
    try Self.check(code, "read the journal")
    return code > 0
  }

  func seekToHead() throws(SystemError) {
    try Self.check(unsafe sd_journal_seek_head(journal), "seek in the journal")
  }

  /// Stands at the last entry, or at the last before `time` (microseconds since 1970), so that `next` gives what comes after
  /// it; false when there is none.
  func seekToLast(before time: UInt64? = nil) throws(SystemError) -> Bool {
    let sought = unsafe time.map { unsafe sd_journal_seek_realtime_usec(journal, $0) } ?? sd_journal_seek_tail(journal)
    try Self.check(sought, "seek in the journal")
    let code = unsafe sd_journal_previous(journal)
    try Self.check(code, "read the journal")
    return code > 0
  }

  func seek(to cursor: String) throws(SystemError) {
    try Self.check(unsafe sd_journal_seek_cursor(journal, cursor), "seek in the journal")
  }

  func isAt(_ cursor: String) -> Bool { unsafe sd_journal_test_cursor(journal, cursor) > 0 }

  func cursor() -> String? {
    var text: UnsafeMutablePointer<CChar>?
    guard unsafe sd_journal_get_cursor(journal, &text) >= 0, let text = unsafe text else { return nil }
    defer { unsafe free(text) }
    return unsafe String(cString: text)
  }

  /// Microseconds since the epoch when journald received the entry.
  func realtime() -> UInt64? {
    var time: UInt64 = 0
    return unsafe sd_journal_get_realtime_usec(journal, &time) >= 0 ? time : nil
  }

  /// When the oldest entry that is left was received; nil when there is none.
  func oldest() -> UInt64? {
    var from: UInt64 = 0
    return unsafe sd_journal_get_cutoff_realtime_usec(journal, &from, nil) > 0 ? from : nil
  }

  /// Copies a field's value, at most `limit` bytes of it, to `target`; returns the length that it has (as far as
  /// libsystemd tells, which stops at its threshold), or nil when the entry has no such field. Copied, because
  /// what libsystemd lends is gone with the next call (sd_journal_get_data(3)).
  @unsafe func copy(_ field: StaticString, to target: UnsafeMutablePointer<UInt8>, limit: Int) -> Int? {
    var data: UnsafeRawPointer?
    var length = 0
    let name = unsafe UnsafeRawPointer(field.utf8Start).assumingMemoryBound(to: CChar.self)
    guard unsafe sd_journal_get_data(journal, name, &data, &length) >= 0, let data = unsafe data else { return nil }
    // `NAME=` precedes the value.
    let skip = field.utf8CodeUnitCount + 1
    guard length >= skip else { return nil }
    unsafe _ = memcpy(target, data + skip, min(length - skip, limit))
    return length - skip
  }

  /// Lends the entry's message; or returns what journald says in it about messages that it dropped. Copied first: it would
  /// be gone when the sink asks for another field.
  func deliver(_ entry: JournalEntry, through buffer: LineBuffer, to outlet: LineOutlet) -> DropNotice? {
    entry.reset()
    // Safe: the buffer holds more than `limit` bytes.
    guard let length = unsafe copy("MESSAGE", to: buffer.base, limit: LineLimit.bytes) else {
      outlet.counters.lines += 1
      return nil
    }
    if let notice = DropNotice(buffer, length: length, entry) { return notice }
    outlet.counters.lines += 1
    outlet.counters.bytes += UInt64(length)
    if length > LineLimit.bytes { outlet.counters.tooLong += 1 }
    buffer.lend(0..<min(length, LineLimit.bytes)) { outlet.lend(message: $0, of: entry) }
    return nil
  }
}
