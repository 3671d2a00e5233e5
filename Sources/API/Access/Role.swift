/// What somebody may do with the API: each role may what the one before it may.
public enum Role: String, Hashable, Sendable, Codable, CaseIterable, Comparable {
  /// Ask everything.
  case look
  /// Ban, lift, confirm, reload, accept a risk.
  case operate
  /// Users and tokens.
  case administer

  private var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }

  public static func < (a: Role, b: Role) -> Bool { a.rank < b.rank }
}
