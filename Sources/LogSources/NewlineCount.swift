/// How many LF bytes there are. Sums of bytes in blocks of at most 255 rounds, a shape that the compiler turns into vector
/// instructions by itself.
public func countLines(_ bytes: borrowing Span<UInt8>) -> Int {
  // Safe: the pointer is used only inside the closure, within its count.
  unsafe bytes.withUnsafeBufferPointer { buffer in
    guard let base = buffer.baseAddress else { return 0 }
    return unsafe countLines(base, buffer.count)
  }
}

/// `base` must be good for `count` bytes.
@unsafe func countLines(_ base: UnsafePointer<UInt8>, _ count: Int) -> Int {
  let width = 64
  let newlines = SIMD64<UInt8>(repeating: 10)
  let one = SIMD64<UInt8>(repeating: 1)
  let zero = SIMD64<UInt8>()
  var total = 0
  var i = 0
  while count - i >= width {
    var sums = SIMD64<UInt8>()
    let end = i + min((count - i) / width, 255) * width
    while i < end {
      let block = unsafe UnsafeRawPointer(base + i).loadUnaligned(as: SIMD64<UInt8>.self)
      sums &+= zero.replacing(with: one, where: block .== newlines)
      i += width
    }
    for lane in 0..<width { total += Int(sums[lane]) }
  }
  while i < count {
    if unsafe base[i] == 10 { total += 1 }
    i += 1
  }
  return total
}
