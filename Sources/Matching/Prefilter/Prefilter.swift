internal import CVectorscan

/// Names the few lines that any pattern could match: one scan of a whole chunk for all literals of all patterns
/// (Vectorscan, https://intel.github.io/hyperscan/dev-reference/compilation.html#pure-literals), at several gigabytes a
/// second. Immutable once made.
// Unchecked: the database is never written to after compilation, and may be used from any number of threads at once, each
// with a scratch of its own (hyperscan's dev reference, "Scratch space").
@safe final class Prefilter: @unchecked Sendable {
  /// The slots of the patterns that need each literal.
  let slots: LiteralSlots
  fileprivate let database: OpaquePointer

  /// `patterns`: what each slot's pattern needs. Nil when there is nothing to look for, or Vectorscan cannot be used on this
  /// processor: every line is a candidate then.
  init?(_ patterns: [RequiredLiterals?]) {
    var bySlot: [RequiredLiterals.Literal: [Int]] = [:]
    for (slot, required) in patterns.enumerated() {
      for literal in required?.literals ?? [] { bySlot[literal, default: []].append(slot) }
    }
    guard !bySlot.isEmpty, patterns.count <= Int(UInt16.max), hs_valid_platform() == HS_SUCCESS else { return nil }
    let literals = bySlot.keys.sorted {
      $0.bytes == $1.bytes ? !$0.caseless && $1.caseless : $0.bytes.lexicographicallyPrecedes($1.bytes)
    }
    slots = LiteralSlots(literals.map { bySlot[$0]! })

    // All texts in one array, so that one pointer serves for all of them.
    var text: [CChar] = []
    var starts: [Int] = []
    for literal in literals {
      starts.append(text.count)
      text += literal.bytes.map { CChar(bitPattern: $0) } + [0]
    }
    let flags = literals.map { UInt32($0.caseless ? HS_FLAG_CASELESS : 0) }
    let ids = literals.indices.map { UInt32($0) }
    let lengths = literals.map(\.bytes.count)
    var database: OpaquePointer?
    var problem: UnsafeMutablePointer<hs_compile_error_t>?
    // Safe: every pointer is into an array that outlives the call, and Vectorscan keeps none of them.
    let result = unsafe text.withUnsafeBufferPointer { text in
      let expressions = unsafe starts.map { unsafe Optional(text.baseAddress! + $0) }
      return unsafe expressions.withUnsafeBufferPointer { expressions in
        unsafe flags.withUnsafeBufferPointer { flags in
          unsafe ids.withUnsafeBufferPointer { ids in
            unsafe lengths.withUnsafeBufferPointer { lengths in
              unsafe hs_compile_lit_multi(
                expressions.baseAddress, flags.baseAddress, ids.baseAddress, lengths.baseAddress,
                UInt32(expressions.count), UInt32(HS_MODE_BLOCK), nil, &database, &problem)
            }
          }
        }
      }
    }
    if let problem = unsafe problem { unsafe hs_free_compile_error(problem) }
    guard result == HS_SUCCESS, let database = unsafe database else { return nil }
    unsafe self.database = database
  }

  deinit { unsafe hs_free_database(database) }
}

/// Which patterns need each literal, all in one array.
struct LiteralSlots: Sendable {
  private let list: [UInt16]
  private let starts: [Int]

  init(_ slots: [[Int]]) {
    list = slots.flatMap { $0.map { UInt16($0) } }
    starts = slots.reduce(into: [0]) { $0.append($0.last! + $1.count) }
  }

  func insert(_ literal: Int, into bits: inout PatternBits) {
    for position in starts[literal]..<starts[literal + 1] { bits.insert(Int(list[position])) }
  }
}

/// Where literals were found in a chunk; belongs to one thread.
@safe final class PrefilterScratch {
  /// End offset in the high half, literal in the low half; sorted by offset after a scan.
  private(set) var hits: [UInt64] = []
  let prefilter: Prefilter
  private let scratch: OpaquePointer
  /// A short text, and behind it what no literal has.
  private var padded = [UInt8](repeating: filler, count: shortest)

  /// Vectorscan 5.4.9 on a processor with AVX-512 misses literals in texts of fewer than 192 bytes, by where they lie in memory
  /// (findings/vectorscan-5.4-short-texts.sh). A line that comes alone is such a text, so it is scanned as a longer one.
  private static let shortest = 256
  /// In no UTF-8.
  private static let filler: UInt8 = 0xFF

  init?(_ prefilter: Prefilter) {
    var scratch: OpaquePointer?
    // Safe: Vectorscan allocates the scratch for this database and writes its address.
    guard unsafe hs_alloc_scratch(prefilter.database, &scratch) == HS_SUCCESS, let scratch = unsafe scratch else {
      return nil
    }
    unsafe self.scratch = scratch
    self.prefilter = prefilter
  }

  deinit { unsafe hs_free_scratch(scratch) }

  /// False when the scan failed: every line is a candidate then.
  func scan(_ chunk: borrowing Span<UInt8>) -> Bool {
    hits.removeAll(keepingCapacity: true)
    guard chunk.count < Self.shortest else { return scanWhole(chunk) }
    var text: [UInt8] = []
    swap(&text, &padded)
    defer { swap(&text, &padded) }
    for i in 0..<Self.shortest { text[i] = i < chunk.count ? chunk[i] : Self.filler }
    let isScanned = scanWhole(text.span)
    // A literal of bytes that are no UTF-8 may have been found behind the text.
    while let last = hits.last, Int(last >> 32) > chunk.count { hits.removeLast() }
    return isScanned
  }

  private func scanWhole(_ chunk: borrowing Span<UInt8>) -> Bool {
    var found: [UInt64] = []
    swap(&found, &hits)
    defer { swap(&found, &hits) }
    // Safe: the callback gets the address of `found` back, which is still during the call; the chunk is only read.
    let result = unsafe chunk.withUnsafeBufferPointer { bytes in
      guard let base = bytes.baseAddress else { return HS_SUCCESS }
      return unsafe withUnsafeMutablePointer(to: &found) { found in
        unsafe base.withMemoryRebound(to: CChar.self, capacity: bytes.count) { text in
          unsafe hs_scan(
            prefilter.database, text, UInt32(bytes.count), 0, scratch,
            { id, _, end, _, context in
              unsafe context!.assumingMemoryBound(to: [UInt64].self).pointee.append(end << 32 | UInt64(id))
              return 0
            }, found)
        }
      }
    }
    // Matches of one literal come in order, those of several need not.
    var isSorted = true
    for i in 1..<max(1, found.count) where found[i] < found[i - 1] {
      isSorted = false
      break
    }
    if !isSorted { found.sort() }
    return result == HS_SUCCESS
  }
}
