/// Blocks of one size, handed out and taken back. They are in slabs, so that more of them never means copying those there are.
struct BlockPool: Sendable {
  let size: Int
  private var slabs: [[Int64]] = []
  private var free: [UInt32] = []
  private var made: UInt32 = 0

  private static let slabBits: UInt32 = 10
  private static let slabMask: UInt32 = 1 << slabBits - 1

  init(size: Int) { self.size = size }

  mutating func take() -> UInt32 {
    if let block = free.popLast() { return block }
    defer { made += 1 }
    if made & Self.slabMask == 0 { slabs.append([]) }
    // The first slab grows with its blocks, for jails that see little.
    let slab = slabs.count - 1
    if slab > 0, slabs[slab].isEmpty { slabs[slab].reserveCapacity(size << Self.slabBits) }
    slabs[slab].append(contentsOf: repeatElement(0, count: size))
    return made
  }

  mutating func give(_ block: UInt32) { free.append(block) }

  var memory: Int {
    slabs.reduce(free.capacity * MemoryLayout<UInt32>.stride) { $0 + $1.capacity * MemoryLayout<Int64>.stride }
  }

  subscript(block: UInt32, index: Int) -> Int64 {
    get { slabs[Int(block >> Self.slabBits)][Int(block & Self.slabMask) * size + index] }
    set { slabs[Int(block >> Self.slabBits)][Int(block & Self.slabMask) * size + index] = newValue }
  }
}
