internal import Fail2banImport
internal import FoundationEssentials
internal import Glibc
internal import System

/// What a machine shows of its services, apart from what is proposed for it.
public struct MachineFacts: Sendable {
  /// A port on which something waits for clients from elsewhere.
  public struct Listener: Hashable, Sendable {
    public var port: UInt16
    public var isUDP: Bool
    /// The name of a process that holds the socket (proc_pid_comm(5)); empty: this user may not see it.
    public var program: String

    public init(port: UInt16, isUDP: Bool = false, program: String) {
      self.port = port
      self.isUDP = isUDP
      self.program = program
    }
  }

  public struct Container: Hashable, Sendable {
    public var name: String
    /// `vaultwarden/server:latest`; empty where the runtime does not say.
    public var image: String

    public init(name: String, image: String = "") {
      self.name = name
      self.image = image
    }
  }

  /// Services that systemd runs, without `.service`.
  public var units: Set<String> = []
  public var listeners: Set<Listener> = []
  /// Packages that are installed, by dpkg or rpm.
  public var packages: Set<String> = []
  public var containers: [Container] = []
  /// Enabled ones, with the name of their filter.
  public var fail2banJails: [(jail: String, filter: String)] = []
  /// Has the journal files?
  public var hasJournal = false
  /// What stands before each path.
  public var root = ""

  public init() {}

  /// Looks; changes nothing. `root` is for a machine whose files are in a directory.
  public static func collect(root: String = "") -> MachineFacts {
    var facts = MachineFacts()
    facts.root = root
    let slices = ["/sys/fs/cgroup/system.slice", "/sys/fs/cgroup/systemd/system.slice"].flatMap { slice in
      ["", "/*.slice"].flatMap { Glob.paths(root + slice + $0 + "/*.service") }
    }
    facts.units = Set(slices.map { String($0.split(separator: "/").last!.dropLast(".service".count)) })
    facts.listeners = listeners(root)
    facts.packages = installedPackages(root)
    facts.containers = docker(root) + podman(root)
    facts.fail2banJails = fail2ban(root + "/etc/fail2ban")
    facts.hasJournal = ["/var/log/journal/*/*.journal", "/run/log/journal/*/*.journal"].contains {
      !Glob.paths(root + $0).isEmpty
    }
    return facts
  }

  /// The files of a path or glob that hold something and were written in the last week, without `root`.
  public func growing(_ pattern: String, now: Int) -> [String] {
    Glob.paths(root + pattern).filter { path in
      guard let status = try? FileStatus.of(path: path) else { return false }
      return status.isRegular && status.size > 0 && now - status.modified < 7 * 86_400
        && ![".gz", ".xz", ".zst", ".bz2", ".1"].contains(where: path.hasSuffix)
    }.map { String($0.dropFirst(root.count)) }
  }

  // MARK: Packages

  /// As the package manager says it: a package that was removed keeps its settings, and with them its place in dpkg's
  /// database (dpkg-query(1), `db:Status-Abbrev`).
  private static func installedPackages(_ root: String) -> Set<String> {
    let root = root.isEmpty ? [] : ["--root=\(root)"]
    let listed = [
      ("dpkg-query", root + ["--show", "--showformat=${db:Status-Abbrev} ${Package}\\n"], "ii"),
      ("rpm", root + ["--query", "--all", "--queryformat=ii %{NAME}\\n"], "ii"),
    ].lazy.compactMap { name, arguments, installed -> Set<String>? in
      guard let path = Program.find(name), let result = try? Program(path: path, arguments: arguments).run(),
        result.status == 0
      else { return nil }
      let words = result.output.split(separator: "\n").map { $0.split(separator: " ") }
      return Set(words.compactMap { $0.count == 2 && $0[0] == installed ? String($0[1]) : nil })
    }
    return listed.first { !$0.isEmpty } ?? []
  }

  // MARK: Sockets

  private static func listeners(_ root: String) -> Set<Listener> {
    var waiting: [String: (port: UInt16, isUDP: Bool)] = [:]
    for (table, isUDP) in [("tcp", false), ("tcp6", false), ("udp", true), ("udp6", true)] {
      let text = SmallFile.text("\(root)/proc/net/\(table)", limit: 16 << 20) ?? ""
      for (inode, port) in sockets(text, isUDP: isUDP) { waiting[inode] = (port, isUDP) }
    }
    var found: Set<Listener> = []
    for name in (try? Directory.names(root + "/proc")) ?? [] where name.first?.isNumber == true {
      for descriptor in (try? Directory.names("\(root)/proc/\(name)/fd")) ?? [] {
        guard let inode = socket("\(root)/proc/\(name)/fd/\(descriptor)"), let entry = waiting[inode] else { continue }
        let program = SmallFile.text("\(root)/proc/\(name)/comm").map { String($0.prefix { $0 != "\n" }) } ?? ""
        found.insert(Listener(port: entry.port, isUDP: entry.isUDP, program: program))
      }
    }
    for (port, isUDP) in waiting.values where !found.contains(where: { $0.port == port && $0.isUDP == isUDP }) {
      found.insert(Listener(port: port, isUDP: isUDP, program: ""))
    }
    return found
  }

  /// proc_pid_net(5): `local_address` and `st` of each socket, and its inode; those of the loopback are left out, as are UDP
  /// sockets above the ports that services have, which are clients'.
  static func sockets(_ table: String, isUDP: Bool) -> [(inode: String, port: UInt16)] {
    table.split(separator: "\n").dropFirst().compactMap { line in
      let words = line.split(separator: " ")
      guard words.count > 9, words[3] == (isUDP ? "07" : "0A") else { return nil }
      let ends = words[1].split(separator: ":")
      guard ends.count == 2, let port = UInt16(ends[1], radix: 16), port != 0 else { return nil }
      let address = ends[0]
      let isLoopback =
        address.count == 8
        ? address.hasSuffix("7F")
        : address == "00000000000000000000000001000000"
          || (address.hasPrefix("0000000000000000FFFF0000") && address.hasSuffix("7F"))
      guard !isLoopback, !isUDP || port < 32_768 else { return nil }
      return (String(words[9]), port)
    }
  }

  /// `socket:[4711]` → `4711`
  private static func socket(_ link: String) -> String? {
    var bytes = [UInt8](repeating: 0, count: 64)
    // Safe: readlink(2) writes at most as many bytes as are there.
    let count = unsafe bytes.withUnsafeMutableBytes { buffer in
      unsafe readlink(link, buffer.baseAddress!.assumingMemoryBound(to: CChar.self), buffer.count)
    }
    guard count > 9 else { return nil }
    let text = String(decoding: bytes[..<count], as: UTF8.self)
    return text.hasPrefix("socket:[") ? String(text.dropFirst(8).dropLast()) : nil
  }

  // MARK: Containers and fail2ban

  private struct DockerConfiguration: Decodable {
    struct Config: Decodable {
      var image: String?
      enum CodingKeys: String, CodingKey { case image = "Image" }
    }
    struct State: Decodable {
      var running: Bool?
      enum CodingKeys: String, CodingKey { case running = "Running" }
    }
    var name: String
    var config: Config?
    var state: State?
    enum CodingKeys: String, CodingKey {
      case name = "Name"
      case config = "Config"
      case state = "State"
    }
  }

  private static func docker(_ root: String) -> [Container] {
    Glob.paths(root + "/var/lib/docker/containers/*/config.v2.json").compactMap { path in
      guard let bytes = try? SmallFile.read(path),
        let known = try? JSONDecoder().decode(DockerConfiguration.self, from: Data(bytes)),
        known.state?.running != false
      else { return nil }
      return Container(name: String(known.name.drop { $0 == "/" }), image: known.config?.image ?? "")
    }
  }

  private struct PodmanContainer: Decodable { var names: [String]? }

  private static func podman(_ root: String) -> [Container] {
    Glob.paths(root + "/var/lib/containers/storage/*-containers/containers.json").flatMap { path in
      guard let bytes = try? SmallFile.read(path) else { return [Container]() }
      let known = (try? JSONDecoder().decode([PodmanContainer].self, from: Data(bytes))) ?? []
      return known.compactMap { $0.names?.first.map { Container(name: $0) } }
    }
  }

  private static func fail2ban(_ directory: String) -> [(jail: String, filter: String)] {
    guard let reader = try? JailReader(directory: directory) else { return [] }
    return reader.names.compactMap { name in
      guard (try? reader.isEnabled(name)) == true, let reading = try? reader.read(name) else { return nil }
      return (name, reading.filter.name)
    }
  }
}
