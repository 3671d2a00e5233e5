import System

/// Which accounts may become root, as this machine's own files say: no directory service is asked, which may take its time.
struct Administrators {
  /// Groups whose members sudo(8), su(1) or doas(1) let through where nobody has changed that.
  static let groups: Set<Substring> = ["root", "sudo", "wheel", "admin"]

  private var known: Set<Substring> = []
  private var allowed: Set<Substring> = []

  /// - Parameters: the texts of passwd(5) and group(5).
  init(passwd: String, group: String) {
    var numbers: Set<Substring> = []
    for line in group.split(separator: "\n") {
      let fields = line.split(separator: ":", omittingEmptySubsequences: false)
      guard fields.count >= 4, Self.groups.contains(fields[0]) else { continue }
      numbers.insert(fields[2])
      allowed.formUnion(fields[3].split(separator: ","))
    }
    for line in passwd.split(separator: "\n") {
      let fields = line.split(separator: ":", omittingEmptySubsequences: false)
      guard fields.count >= 4 else { continue }
      known.insert(fields[0])
      if fields[2] == "0" || numbers.contains(fields[3]) { allowed.insert(fields[0]) }
    }
  }

  static func collect() -> Administrators {
    Administrators(passwd: SmallFile.text("/etc/passwd") ?? "", group: SmallFile.text("/etc/group") ?? "")
  }

  /// An account that is not in the files belongs to a directory; it is given the benefit of the doubt.
  func mayBecomeRoot(_ user: String) -> Bool { allowed.contains(user[...]) || !known.contains(user[...]) }
}
