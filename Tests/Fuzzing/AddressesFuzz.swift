import Glibc
import Model

/// What is taken for an address is one, the one that the C library sees in it, and comes back from its own text.
enum AddressesFuzz {
  static func run(_ input: [UInt8]) {
    let text = String(decoding: input, as: UTF8.self)
    if let address = Address(parsing: input.span) {
      require(Address(address.description) == address, "\(address) does not come back")
      let known = reference(input)
      require(
        known == address.bits, "\(text) is \(address), not \(known.map { Address(bits: $0).description } ?? "none")")
    } else if let known = reference(input) {
      fatalError("\(text) is \(Address(bits: known)), and was refused")
    }
    if let subnet = Subnet(text) {
      require(Subnet(subnet.description) == subnet, "\(subnet) does not come back")
      require(subnet.contains(subnet.base) && subnet.contains(subnet.last), "\(subnet) does not hold its ends")
      require(subnet.contains(subnet), "\(subnet) does not hold itself")
    }
    let identity = Identity(text)
    require(Identity(identity.description) == identity, "an identity does not come back")
  }

  /// inet_pton(3), which takes neither leading zeros nor zones.
  private static func reference(_ input: [UInt8]) -> UInt128? {
    guard !input.contains(0), input.count < 64 else { return nil }
    let text = input.map { CChar(bitPattern: $0) } + [0]
    var bytes = [UInt8](repeating: 0, count: 16)
    // Safe: inet_pton(3) reads up to the NUL, and writes 4 or 16 bytes.
    if unsafe inet_pton(AF_INET, text, &bytes) == 1 {
      return Address(ipv4: bytes[..<4].reduce(0) { $0 << 8 | UInt32($1) }).bits
    }
    guard unsafe inet_pton(AF_INET6, text, &bytes) == 1 else { return nil }
    return bytes.reduce(0) { $0 << 8 | UInt128($1) }
  }
}
