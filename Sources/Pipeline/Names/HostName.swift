internal import Glibc
internal import Model

/// Host names as they may be in a log.
enum HostName {
  /// Lower case with a dot at the end, so that no search list makes another name of it; nil where it is none that may
  /// be asked for:
  ///
  /// - Names without a dot mean what the local network says.
  /// - A last label that begins with a digit is no name (RFC 3696): `127.1`, `0x7f.1` and `2130706433` are addresses to
  ///   getaddrinfo(3), and an attacker's way to put one where a pattern wants a name.
  static func canonical(_ text: String) -> String? {
    var name = text.lowercased()
    if name.hasSuffix(".") { name.removeLast() }
    let labels = name.split(separator: ".", omittingEmptySubsequences: false)
    guard labels.count > 1, name.utf8.count <= 253, let last = labels.last?.utf8.first, last >= 97, last <= 122 else {
      return nil
    }
    let isFine = labels.allSatisfy { label in
      !label.isEmpty && label.utf8.count <= 63 && label.utf8.first != UInt8(ascii: "-")
        && label.utf8.allSatisfy { byte in
          switch byte {
          case 48...57, 97...122, UInt8(ascii: "-"), UInt8(ascii: "_"): true
          default: false
          }
        }
    }
    return isFine ? name + "." : nil
  }
}

/// What the system's resolver says: /etc/hosts, then getaddrinfo(3).
enum SystemLookUp {
  static func answer(_ name: String) -> NameResolver.Answer {
    let local = HostsFile.addresses(of: name)
    guard local.isEmpty else { return .addresses(local) }
    // Safe: a zeroed struct is what getaddrinfo takes for "anything", its pointers are nil. It fills `list` or leaves
    // it nil; it is freed below, once.
    var hints = unsafe addrinfo()
    unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    var list: UnsafeMutablePointer<addrinfo>?
    let code = unsafe getaddrinfo(name, nil, &hints, &list)
    guard code == 0 else {
      // Safe: gai_strerror returns a constant text, copied here.
      return .none(unsafe String(cString: gai_strerror(code)).lowercased())
    }
    defer { unsafe freeaddrinfo(list) }
    var addresses: [Address] = []
    var next = unsafe list
    while let entry = unsafe next {
      if let address = unsafe address(entry.pointee) { addresses.append(address) }
      unsafe next = entry.pointee.ai_next
    }
    return addresses.isEmpty ? .none("it has no address") : .addresses(addresses)
  }

  private static func address(_ entry: addrinfo) -> Address? {
    var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
    // Safe: the entry's address and its length belong together, and getnameinfo writes at most what it is told.
    let code = unsafe text.withUnsafeMutableBufferPointer {
      unsafe getnameinfo(entry.ai_addr, entry.ai_addrlen, $0.baseAddress, socklen_t($0.count), nil, 0, NI_NUMERICHOST)
    }
    guard code == 0 else { return nil }
    let bytes = text.prefix { $0 != 0 && $0 != CChar(bitPattern: UInt8(ascii: "%")) }.map(UInt8.init(bitPattern:))
    return Address(String(decoding: bytes, as: UTF8.self))
  }
}
