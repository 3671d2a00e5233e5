import Glibc

/// Names and numbers of users and groups, from the C library (getpwuid_r(3), getgrnam_r(3)).
public enum Accounts {
  public static func userName(_ uid: UInt32) -> String? {
    var entry = unsafe passwd()
    var buffer = [CChar](repeating: 0, count: 4096)
    var found: UnsafeMutablePointer<passwd>?
    // Safe: the entry's texts lie in `buffer`, which outlives their use inside the call.
    return unsafe buffer.withUnsafeMutableBufferPointer { buffer in
      guard unsafe getpwuid_r(uid, &entry, buffer.baseAddress!, buffer.count, &found) == 0, unsafe found != nil,
        let name = unsafe entry.pw_name
      else { return nil as String? }
      return unsafe String(cString: name)
    }
  }

  /// The names of all groups of a user (getgrouplist(3)).
  public static func groups(ofUser name: String, primary gid: UInt32) -> Set<String> {
    var numbers = [gid_t](repeating: 0, count: 256)
    var count = Int32(numbers.count)
    // Safe: it writes at most `count` numbers; a user of more groups is in the first 256.
    _ = unsafe getgrouplist(name, gid, &numbers, &count)
    return Set(numbers.prefix(Int(min(max(count, 0), 256))).compactMap(groupName))
  }

  private static func groupName(_ gid: UInt32) -> String? {
    var entry = unsafe Glibc.group()
    var buffer = [CChar](repeating: 0, count: 64 << 10)
    var found: UnsafeMutablePointer<group>?
    // Safe: as above.
    return unsafe buffer.withUnsafeMutableBufferPointer { buffer in
      guard unsafe getgrgid_r(gid, &entry, buffer.baseAddress!, buffer.count, &found) == 0, unsafe found != nil,
        let name = unsafe entry.gr_name
      else { return nil as String? }
      return unsafe String(cString: name)
    }
  }

  /// The number of a group, by its name or written as a number.
  public static func groupID(_ group: String) -> UInt32? {
    var entry = unsafe Glibc.group()
    // A group's members are listed in the buffer too, so it may have to be large.
    var buffer = [CChar](repeating: 0, count: 64 << 10)
    var found: UnsafeMutablePointer<group>?
    // Safe: as above.
    let number: UInt32? = unsafe buffer.withUnsafeMutableBufferPointer { buffer in
      guard unsafe getgrnam_r(group, &entry, buffer.baseAddress!, buffer.count, &found) == 0, unsafe found != nil
      else { return nil }
      return unsafe entry.gr_gid
    }
    return number ?? UInt32(group)
  }
}
