internal import FoundationEssentials
internal import Glibc
internal import Synchronization
internal import System

/// A directory in which a container runtime keeps what it knows: Docker's data root, Podman's (containers/storage), or
/// Kubernetes' /var/log/containers.
struct ContainerRoot: Hashable {
  let path: String

  var containers: [Container] { docker + podman + kubernetes }

  /// The directories in which something changes when a container comes or goes.
  var directories: [String] {
    let docker = PathName.join(path, "containers")
    return [docker, path] + names(docker).map { PathName.join(docker, $0) } + layers
  }

  // MARK: Docker

  private struct DockerConfiguration: Decodable {
    struct Config: Decodable {
      var labels: [String: String]?
      enum CodingKeys: String, CodingKey { case labels = "Labels" }
    }
    var name: String
    var config: Config?
    enum CodingKeys: String, CodingKey {
      case name = "Name"
      case config = "Config"
    }
  }

  private struct DockerHost: Decodable {
    struct LogConfig: Decodable {
      var type: String
      enum CodingKeys: String, CodingKey { case type = "Type" }
    }
    var logConfig: LogConfig
    enum CodingKeys: String, CodingKey { case logConfig = "LogConfig" }
  }

  private var docker: [Container] {
    let directory = PathName.join(path, "containers")
    return names(directory).flatMap { id in
      let own = PathName.join(directory, id)
      return Self.cached("\(own)/config.v2.json") {
        guard let known: DockerConfiguration = Self.read("\(own)/config.v2.json") else { return [] }
        let host: DockerHost? = Self.read("\(own)/hostconfig.json")
        return [
          Container(
            names: [String(known.name.drop { $0 == "/" })], labels: known.config?.labels ?? [:],
            log: "\(own)/\(id)-json.log", driver: host?.logConfig.type)
        ]
      }
    }
  }

  // MARK: Podman

  private struct PodmanContainer: Decodable {
    var id: String
    var names: [String]?
  }

  private var layers: [String] { names(path).filter { $0.hasSuffix("-containers") }.map { PathName.join(path, $0) } }

  private var podman: [Container] {
    layers.flatMap { directory in
      Self.cached("\(directory)/containers.json") {
        let known: [PodmanContainer] = Self.read("\(directory)/containers.json") ?? []
        return known.map { Container(names: $0.names ?? [], log: "\(directory)/\($0.id)/userdata/ctr.log") }
      }
    }
  }

  // MARK: Kubernetes

  /// `POD_NAMESPACE_CONTAINER-ID.log`, links that the kubelet makes; another one when the container is started again.
  private var kubernetes: [Container] {
    guard PathName.last(of: path) == "containers" else { return [] }
    return names(path).compactMap { file in
      guard file.hasSuffix(".log"), let dash = file.lastIndex(of: "-") else { return nil }
      let parts = file[..<dash].split(separator: "_", omittingEmptySubsequences: false).map(String.init)
      guard parts.count == 3 else { return nil }
      guard let log = Self.target(PathName.join(path, file)) else { return nil }
      return Container(names: [String(file[..<dash]), parts[0], parts[2]], log: log)
    }
  }

  private static func target(_ link: String) -> String? {
    // Safe: realpath(3) with no buffer allocates one, which is copied and freed here.
    guard let real = unsafe realpath(link, nil) else { return nil }
    defer { unsafe free(real) }
    return unsafe String(cString: real)
  }

  // MARK: Files

  private func names(_ directory: String) -> [String] {
    DirectoryListing(of: directory).entries.map(\.name).filter { !$0.hasPrefix(".") }
  }

  /// A JSON file of at most a megabyte; nil where there is none, or none like that.
  private static func read<Content: Decodable>(_ path: String) -> Content? {
    guard let bytes = try? SmallFile.read(path, limit: 1 << 20) else { return nil }
    return try? JSONDecoder().decode(Content.self, from: Data(bytes))
  }

  /// What a file said when it was last changed: containers are looked for whenever one comes or goes.
  private static let known = Mutex<[String: (modified: Int, containers: [Container])]>([:])

  private static func cached(_ path: String, _ read: () -> [Container]) -> [Container] {
    guard let modified = (try? FileStatus.of(path: path))?.modified else { return [] }
    if let known = known.withLock({ $0[path] }), known.modified == modified { return known.containers }
    let containers = read()
    known.withLock { $0[path] = (modified, containers) }
    return containers
  }
}
