/// What a container's runtime puts around each line that a program in it writes.
enum Envelope {
  /// Docker's json-file driver: `{"log":"text\n","stream":"stderr","time":"2026-11-28T08:52:34.849386859Z"}`.
  case docker
  /// CRI, as containerd, CRI-O and Podman's conmon write it: `2026-11-28T08:55:40.995723479+00:00 stdout F text`.
  case cri

  /// A record may be this long: Docker cuts lines at 16,384 bytes, and writes some bytes as six.
  static let recordLimit = 128 << 10

  /// Told by how a file begins; nil: its lines are a program's own.
  init?(head: borrowing Span<UInt8>) {
    if DockerRecord.begins(head) {
      self = .docker
    } else if CRIRecord(head, 0..<head.count) != nil {
      self = .cri
    } else {
      return nil
    }
  }
}

/// Which of a program's outputs a record is of. Their parts are joined apart.
enum OutputStream: Int {
  case out, error

  init?(_ bytes: borrowing Span<UInt8>, _ range: Range<Int>) {
    guard range.count == 6, bytes[range.lowerBound] == UInt8(ascii: "s"),
      bytes[range.lowerBound + 1] == UInt8(ascii: "t"),
      bytes[range.lowerBound + 2] == UInt8(ascii: "d")
    else { return nil }
    switch (bytes[range.lowerBound + 3], bytes[range.lowerBound + 4], bytes[range.lowerBound + 5]) {
    case (UInt8(ascii: "o"), UInt8(ascii: "u"), UInt8(ascii: "t")): self = .out
    case (UInt8(ascii: "e"), UInt8(ascii: "r"), UInt8(ascii: "r")): self = .error
    default: return nil
    }
  }
}
