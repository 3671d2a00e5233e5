/// A line of a container's log as Kubernetes defines it (kubelet's CRI logging format): time, stream, tags, text. The first
/// tag is F for a whole line, or its last part, and P for a part that others follow.
struct CRIRecord {
  let stream: OutputStream
  let isEnded: Bool
  let time: Range<Int>
  let text: Range<Int>

  init?(_ line: borrowing Span<UInt8>, _ range: Range<Int>) {
    // 2026-11-28T08:55:40.995723479+00:00
    var at = range.lowerBound
    while at < range.upperBound, at - range.lowerBound <= 35, line[at] != UInt8(ascii: " ") { at += 1 }
    let time = range.lowerBound..<at
    guard time.count >= 20, at + 9 < range.upperBound, line[at] == UInt8(ascii: " "),
      line[time.lowerBound + 4] == UInt8(ascii: "-"), line[time.lowerBound + 10] == UInt8(ascii: "T"),
      line[time.lowerBound + 13] == UInt8(ascii: ":"), let stream = OutputStream(line, at + 1..<at + 7),
      line[at + 7] == UInt8(ascii: " ")
    else { return nil }
    let tag = line[at + 8]
    guard tag == UInt8(ascii: "F") || tag == UInt8(ascii: "P") else { return nil }
    at += 9
    // More tags may follow behind colons.
    while at < range.upperBound, line[at] != UInt8(ascii: " ") {
      guard at > time.upperBound + 9 || line[at] == UInt8(ascii: ":") else { return nil }
      at += 1
    }
    self.time = time
    self.stream = stream
    isEnded = tag == UInt8(ascii: "F")
    text = min(at + 1, range.upperBound)..<range.upperBound
  }
}
