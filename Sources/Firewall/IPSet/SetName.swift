/// What the sets of a jail are called: `bailiff-sshd-4` and `bailiff-sshd-6`, in the 31 bytes that ipset allows
/// (`IPSET_MAXNAMELEN`).
enum SetName {
  static let prefix = "bailiff-"

  static func of(jail: String, _ family: AddressFamily) -> String {
    prefix + ObjectName.of(jail: jail) + (family == .ipv4 ? "-4" : "-6")
  }

  /// Is this a set that `of` may have named?
  static func isOurs(_ name: String) -> Bool {
    name.hasPrefix(prefix) && (name.hasSuffix("-4") || name.hasSuffix("-6"))
  }
}
