import Foundation
import Fuzzing

/// What libFuzzer calls (https://llvm.org/docs/LibFuzzer.html#fuzz-target); `BAILIFF_FUZZ_TARGET` says which target runs.
/// `main` is libFuzzer's.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  // Safe: libFuzzer lends `count` bytes for the call.
  let input = unsafe Array(UnsafeBufferPointer(start: start, count: count))
  target.run(input)
  return 0
}

private let target: FuzzTarget = {
  let name = ProcessInfo.processInfo.environment["BAILIFF_FUZZ_TARGET"] ?? ""
  guard let target = FuzzTarget(rawValue: name) else {
    fatalError("BAILIFF_FUZZ_TARGET must be one of \(FuzzTarget.allCases.map(\.rawValue))")
  }
  return target
}()
