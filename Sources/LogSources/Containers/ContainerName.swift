internal import Glibc

/// Which containers are meant: those of a name (with `*`, `?` and `[…]` as glob(7) has them), or with `label=KEY` or
/// `label=KEY=VALUE` those that carry a label, as `docker ps --filter` has it. The name of a Kubernetes container is that
/// of the container, of its pod, or `POD_NAMESPACE_CONTAINER`.
struct ContainerName: Hashable {
  let text: String

  func matches(_ container: Container) -> Bool {
    guard text.hasPrefix("label=") else { return container.names.contains(where: fits) }
    let label = text.dropFirst(6)
    guard let equals = label.firstIndex(of: "=") else { return container.labels[String(label)] != nil }
    return container.labels[String(label[..<equals])] == String(label[label.index(after: equals)...])
  }

  private func fits(_ name: String) -> Bool {
    // Safe: fnmatch(3) reads two strings during the call.
    unsafe fnmatch(text, name, 0) == 0
  }
}

/// A container as its runtime's files describe it.
struct Container: Hashable {
  var names: [String]
  var labels: [String: String] = [:]
  /// Where its log is, or will be.
  var log: String
  /// Docker's log driver; nil where the runtime has one only.
  var driver: String?

  /// Why its log cannot be read from a file; nil: it can.
  var unreadable: String? {
    switch driver {
    case nil, "json-file", "journald": nil
    case "local"?:
      "container \(names.first ?? "?") logs with Docker's driver local, which is not text; run it with --log-driver json-file or "
        + "journald"
    case let driver?:
      "container \(names.first ?? "?") logs with Docker's driver \(driver), which leaves nothing on this machine; run it with "
        + "--log-driver json-file or journald"
    }
  }
}
