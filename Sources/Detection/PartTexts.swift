internal import Model

/// The accounts and applications that jails count by themselves.
struct PartTexts: Sendable {
  /// What a client wrote counts up to here: more is not stored, and windows must be the same after a restart.
  private static let most = 200

  private let seed: UInt64
  private let hash: KeyHash

  init(seed: (UInt64, UInt64) = (.random(in: .min ... .max), .random(in: .min ... .max))) {
    self.seed = seed.0
    hash = KeyHash(seed: seed)
  }

  /// 0 where the jail counts addresses, and where the line names none: those count by their address.
  func hash(of failure: Failure, _ per: Jail.Counting, in batch: FailureBatch) -> UInt64 {
    guard let range = Self.range(of: failure, per) else { return 0 }
    return batch.withBytes(range) { bytes in
      // FNV-1a from a secret start. Names that a client makes alike count together, against that client.
      var sum = seed
      for at in 0..<bytes.count { sum = (sum ^ UInt64(bytes[at])) &* 0x100_0000_01B3 }
      return hash.of(UInt128(sum)) | 1
    }
  }

  /// As the audit says it: `user alice`.
  func name(of failure: Failure, _ per: Jail.Counting, in batch: FailureBatch) -> String {
    Self.range(of: failure, per).map { "\(per.rawValue) \(batch.text($0))" } ?? ""
  }

  private static func range(of failure: Failure, _ per: Jail.Counting) -> ByteRange? {
    let range =
      switch per {
      case .address: ByteRange.empty
      case .user: failure.user
      case .app: failure.app
      }
    return range.isEmpty ? nil : ByteRange(start: range.start, count: min(range.count, UInt32(most)))
  }
}
