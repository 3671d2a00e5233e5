import Model
import Synchronization

/// How many requests a client on TCP may send: so many at once, and as many a second as come back.
final class RequestRate: Sendable {
  private struct Bucket {
    var left: Double
    /// Monotonic seconds.
    var filled: Double
  }

  static let burst = 100.0
  static let perSecond = 50.0
  private static let most = 10_000

  private let buckets = Mutex<[Subnet: Bucket]>([:])

  /// An IPv6 client has a /64 of addresses.
  func admits(_ address: Address, at seconds: Double) -> Bool {
    let client = Subnet(address, ipv4Prefix: 32, ipv6Prefix: 64)
    return buckets.withLock { buckets in
      func filled(_ bucket: Bucket) -> Double {
        min(Self.burst, bucket.left + (seconds - bucket.filled) * Self.perSecond)
      }
      if buckets.count >= Self.most { buckets = buckets.filter { filled($0.value) < Self.burst } }
      // As many clients at once as there may be: they all have what one has.
      let key = buckets[client] != nil || buckets.count < Self.most ? client : Subnet(Address(bits: 0), length: 0)
      let left = buckets[key].map(filled) ?? Self.burst
      guard left >= 1 else { return false }
      buckets[key] = Bucket(left: left - 1, filled: seconds)
      return true
    }
  }
}
