internal import CPCRE2
internal import Synchronization

/// One compiled PCRE2 pattern. Immutable once made, so any number of threads may match with it, each with a `MatchScratch`
/// of its own.
///
/// ```swift
/// let pattern = try Pattern("^Failed password for (?<user>.*) from (?<host>[0-9.]+)$")
/// var scratch = MatchScratch()
/// if scratch.match(pattern, line) == .matched { let host = scratch.group(pattern.group(named: "host")!) }
/// ```
// Unchecked: the one stored pointer is to a compiled pattern, which PCRE2 never writes to again after `pcre2_jit_compile`
// (pcre2api, "Multithreading": compiled patterns may be shared once JIT compilation is done).
@safe public final class Pattern: @unchecked Sendable {
  public struct Options: OptionSet, Sendable {
    public let rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    public static let caseless = Options(rawValue: 1)
    public static let dotAll = Options(rawValue: 2)
    public static let multiline = Options(rawValue: 4)
    /// `$` only at the very end, not before a last LF.
    public static let dollarEndOnly = Options(rawValue: 8)
    /// Subjects are UTF-8 and have been checked by the caller; classes and case follow Unicode.
    public static let unicode = Options(rawValue: 16)
    /// Several groups of one name.
    public static let duplicateNames = Options(rawValue: 32)
    /// Runs in the interpreter, as where the system forbids executable memory.
    public static let withoutJIT = Options(rawValue: 64)
  }

  public let source: String
  /// Named groups in the order of their numbers.
  public let names: [(name: String, group: Int)]
  /// The highest group number.
  public let groupCount: Int
  /// False where the system forbids executable memory or the pattern cannot be compiled to machine code; it then runs in
  /// PCRE2's interpreter, slower but the same.
  public let isJITCompiled: Bool

  fileprivate let code: OpaquePointer
  /// Whose code it is, where it is not its own.
  private let original: Pattern?

  public init(_ source: String, options: Options = []) throws(PatternError) {
    self.source = source
    // LF alone ends a line: Python's `re` and the logs agree on that.
    var flags: UInt32 = UInt32(PCRE2_NEVER_BACKSLASH_C)
    if options.contains(.caseless) { flags |= UInt32(PCRE2_CASELESS) }
    if options.contains(.dotAll) { flags |= UInt32(PCRE2_DOTALL) }
    if options.contains(.multiline) { flags |= UInt32(PCRE2_MULTILINE) }
    if options.contains(.dollarEndOnly) { flags |= UInt32(PCRE2_DOLLAR_ENDONLY) }
    if options.contains(.unicode) { flags |= UInt32(PCRE2_UTF) | UInt32(PCRE2_UCP) | UInt32(PCRE2_NO_UTF_CHECK) }
    if options.contains(.duplicateNames) { flags |= UInt32(PCRE2_DUPNAMES) }
    var errorCode: Int32 = 0
    var errorOffset = 0
    // Safe: the context is made, used and freed here.
    let context = unsafe pcre2_compile_context_create_8(nil)
    defer { unsafe pcre2_compile_context_free_8(context) }
    unsafe pcre2_set_newline_8(context, UInt32(PCRE2_NEWLINE_LF))
    let bytes = Array(source.utf8)
    // Safe: PCRE2 reads `count` bytes at the pointer and keeps none of it.
    let compiled = unsafe bytes.withUnsafeBufferPointer { text in
      // An empty array may have no address; PCRE2 wants one even for length 0.
      var nothing: UInt8 = 0
      return unsafe withUnsafePointer(to: &nothing) { empty in
        unsafe pcre2_compile_8(text.baseAddress ?? empty, text.count, flags, &errorCode, &errorOffset, context)
      }
    }
    guard let compiled = unsafe compiled else {
      throw PatternError(message: Self.message(errorCode), offset: errorOffset, pattern: source)
    }
    unsafe code = compiled
    original = nil
    isJITCompiled =
      !options.contains(.withoutJIT) && (unsafe pcre2_jit_compile_8(compiled, UInt32(PCRE2_JIT_COMPLETE))) == 0
    groupCount = Int(unsafe Self.info(compiled, UInt32(PCRE2_INFO_CAPTURECOUNT)))
    names = unsafe Self.nameTable(compiled)
  }

  /// With the code of another one, which lives as long as it.
  private init(sharing original: Pattern) {
    source = original.source
    names = original.names
    groupCount = original.groupCount
    isJITCompiled = original.isJITCompiled
    unsafe code = original.code
    self.original = original
  }

  deinit { if original == nil { unsafe pcre2_code_free_8(code) } }

  private struct Key: Hashable {
    var source: String
    var options: UInt32
  }

  private struct Known { weak var pattern: Pattern? }

  private static let known = Mutex<[Key: Known]>([:])

  /// With the code that somebody else has compiled, as long as it is in use: lists of attacks are asked of each format of
  /// several filters, and compiling one takes milliseconds.
  ///
  /// What is looked up is never what is matched with: an object to which there are weak references counts the strong ones in a
  /// table beside it, at several times the price, and a match counts a few.
  static func shared(_ source: String, options: Options) throws(PatternError) -> Pattern {
    let key = Key(source: source, options: options.rawValue)
    if let pattern = known.withLock({ $0[key]?.pattern }) { return Pattern(sharing: pattern) }
    let pattern = try Pattern(source, options: options)
    known.withLock { known in
      if known.count > 8192 { known = known.filter { $0.value.pattern != nil } }
      known[key] = Known(pattern: pattern)
    }
    return Pattern(sharing: pattern)
  }

  /// The first group of that name.
  public func group(named name: String) -> Int? { names.first { $0.name == name }?.group }

  private static func info(_ code: OpaquePointer, _ what: UInt32) -> UInt32 {
    var value: UInt32 = 0
    // Safe: the questions asked here are answered by writing one uint32_t (pcre2_pattern_info(3)).
    unsafe pcre2_pattern_info_8(code, what, &value)
    return value
  }

  /// The name table: entries of a fixed size, two bytes of group number and the name ended by NUL (pcre2api, "Information
  /// about a compiled pattern").
  private static func nameTable(_ code: OpaquePointer) -> [(name: String, group: Int)] {
    let count = Int(unsafe info(code, UInt32(PCRE2_INFO_NAMECOUNT)))
    guard count > 0 else { return [] }
    let size = Int(unsafe info(code, UInt32(PCRE2_INFO_NAMEENTRYSIZE)))
    var table: UnsafePointer<UInt8>?
    // Safe: this question is answered by writing one pointer into the pattern, which lives as long as `code`.
    unsafe pcre2_pattern_info_8(code, UInt32(PCRE2_INFO_NAMETABLE), &table)
    guard let table = unsafe table else { return [] }
    let entries = (0..<count).map { index -> (name: String, group: Int) in
      let entry = unsafe table + index * size
      let name = unsafe UnsafeBufferPointer(start: entry + 2, count: size - 2).prefix { $0 != 0 }
      return unsafe (String(decoding: name, as: UTF8.self), Int(entry[0]) << 8 | Int(entry[1]))
    }
    return entries.sorted { $0.group < $1.group }
  }

  fileprivate static func message(_ code: Int32) -> String {
    var text = [UInt8](repeating: 0, count: 256)
    let count = text.count
    // Safe: PCRE2 writes at most `count` bytes with a NUL.
    _ = unsafe text.withUnsafeMutableBufferPointer { unsafe pcre2_get_error_message_8(code, $0.baseAddress!, count) }
    return String(decoding: text.prefix { $0 != 0 }, as: UTF8.self)
  }
}

/// A pattern that PCRE2 refuses.
public struct PatternError: Error, Sendable, CustomStringConvertible {
  public var message: String
  /// Byte offset in the pattern where PCRE2 gave up.
  public var offset: Int
  public var pattern: String

  public var description: String { "the pattern does not compile: \(message) at offset \(offset)" }
}

/// What a thread needs to match: captures, limits and a JIT stack, used again for every line. Nothing is allocated per match.
@safe public struct MatchScratch: ~Copyable {
  public enum Outcome: Equatable, Sendable {
    case matched
    case none
    /// The pattern needed more work than `limit` allows; whether it matches is not known. The code is PCRE2's.
    case gaveUp(Int32)
  }

  /// Stops a catastrophic pattern in under a millisecond; the patterns that are shipped need under 2,000 for a common line.
  public static let matchLimit: UInt32 = 100_000
  /// What is added for each byte of a long subject: a sound pattern's work grows with the line. PCRE2's interpreter counts a
  /// step for each alternative at each byte; the patterns that are shipped need up to 100.
  public static let stepsPerByte: UInt32 = 100
  /// Beyond this the limit grows no more: no field that a server takes is longer.
  private static let longest = 32 * 1024
  private static let jitStack = (start: 32 * 1024, most: 1024 * 1024)
  /// More groups than any stock filter has; further ones are not reported.
  private static let pairs: UInt32 = 128

  private let data: OpaquePointer
  private let context: OpaquePointer
  private let stack: OpaquePointer?
  private let offsets: UnsafeMutablePointer<Int>
  private var found = 0
  private let least: UInt32
  private var limit: UInt32

  /// `matchLimit` is the work that one search in a short subject may take; PCRE2 counts it in steps of its matching loop.
  public init(matchLimit: UInt32 = Self.matchLimit) {
    least = matchLimit
    limit = matchLimit
    // Safe: all three are owned by this value alone and freed in `deinit`; PCRE2 returns nil only when out of memory, where
    // nothing can go on.
    unsafe data = pcre2_match_data_create_8(Self.pairs, nil)!
    unsafe context = pcre2_match_context_create_8(nil)!
    unsafe stack = pcre2_jit_stack_create_8(Self.jitStack.start, Self.jitStack.most, nil)
    unsafe offsets = pcre2_get_ovector_pointer_8(data)
    unsafe pcre2_set_match_limit_8(context, matchLimit)
    unsafe pcre2_set_depth_limit_8(context, 10_000)
    unsafe pcre2_set_heap_limit_8(context, 8 * 1024)  // KiB
    if let stack = unsafe stack { unsafe pcre2_jit_stack_assign_8(context, nil, UnsafeMutableRawPointer(stack)) }
  }

  deinit {
    unsafe pcre2_match_data_free_8(data)
    unsafe pcre2_match_context_free_8(context)
    if let stack = unsafe stack { unsafe pcre2_jit_stack_free_8(stack) }
  }

  /// Searches `subject` from byte `start`.
  public mutating func match(_ pattern: Pattern, _ subject: borrowing Span<UInt8>, from start: Int = 0) -> Outcome {
    setLimit(subject.count)
    // Safe: PCRE2 reads `count` bytes at the pointer during the call; the captures kept are offsets, not pointers.
    let result = unsafe subject.withUnsafeBufferPointer { text -> Int32 in
      var nothing: UInt8 = 0
      return unsafe withUnsafePointer(to: &nothing) { empty in
        let base = unsafe text.baseAddress ?? empty
        return unsafe pattern.isJITCompiled
          ? pcre2_jit_match_8(pattern.code, base, text.count, start, 0, data, context)
          : pcre2_match_8(pattern.code, base, text.count, start, UInt32(PCRE2_NO_UTF_CHECK), data, context)
      }
    }
    if result >= 0 {
      // 0: more groups than `pairs`; all pairs are filled.
      found = result == 0 ? Int(Self.pairs) : Int(result)
      return .matched
    }
    found = 0
    return result == PCRE2_ERROR_NOMATCH ? .none : .gaveUp(result)
  }

  /// The limit for a subject of so many bytes, by whole KiB, so that it is seldom another than before.
  private mutating func setLimit(_ count: Int) {
    let wanted = least &+ UInt32((min(count, Self.longest) >> 10) << 10) &* Self.stepsPerByte
    guard wanted != limit else { return }
    limit = wanted
    // Safe: the context is this value's own.
    unsafe pcre2_set_match_limit_8(context, wanted)
  }

  /// What group `number` captured in the last match; nil when it took no part.
  public func group(_ number: Int) -> Range<Int>? {
    guard number < found else { return nil }
    // Safe: PCRE2 filled `found` pairs of the vector that belongs to `data`.
    let start = unsafe offsets[2 * number]
    let end = unsafe offsets[2 * number + 1]
    // PCRE2_UNSET is all ones; `\K` in a lookahead can make end < start.
    guard start >= 0, start <= end else { return nil }
    return start..<end
  }

  /// What the first of these groups that took part captured.
  func first(of groups: [Int]) -> Range<Int>? {
    for number in groups { if let range = group(number) { return range } }
    return nil
  }
}
