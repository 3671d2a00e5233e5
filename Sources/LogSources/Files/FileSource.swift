import Model
internal import System

/// A path, and the files that were there: those that were renamed away, oldest first, and last the one that is there
/// now. They are read one after the other.
final class FileSource {
  let outlet: LineOutlet
  let path: String
  var specs: [Int]
  /// See `SourceSpec.lookBack`.
  let lookBack: TimeSpan
  private(set) var queue: [FollowedFile] = []
  /// Rotated files that are read and not followed: compressed since, and so files of their own.
  private(set) var read: [FileIdentity] = []
  /// Something was read here before (now or before a restart), so whatever takes the path is new and read whole.
  var isKnown: Bool
  /// Where to begin in a file that was there, but not readable, when reading began.
  var firstSize: UInt64?
  /// It waits for its turn.
  var isInTurn = false
  /// That its file rewrites itself was said.
  var isSaidToRewrite = false

  private var decoder: RecordDecoder?

  var number: Int { outlet.number }

  init(_ outlet: LineOutlet, path: String, specs: [Int], lookBack: TimeSpan = .zero, isKnown: Bool) {
    self.lookBack = lookBack
    self.outlet = outlet
    self.path = path
    self.specs = specs
    self.isKnown = isKnown
  }

  /// Only `FollowedFiles` calls these: it knows every file by its inode.
  func insert(_ files: [FollowedFile], at index: Int) { queue.insert(contentsOf: files, at: index) }
  func remove(_ file: FollowedFile) { queue.removeAll { $0 === file } }

  /// Keeps the newest few: what is older is no longer a sibling of the path.
  func remember(_ identities: [FileIdentity]) { read = (read + identities).suffix(32) }

  /// What takes lines out of their envelope; lines may go on in the next file.
  func decoder(_ envelope: Envelope) -> RecordDecoder {
    if let decoder, decoder.envelope == envelope { return decoder }
    // Podman's conmon makes a socket beside the log whenever the container starts.
    let mark = PathName.join(PathName.directory(of: path), "attach")
    let made = RecordDecoder(envelope) {
      (try? FileStatus.of(path: mark)).map { Instant(microseconds: Int64($0.modified / 1000)) }
    }
    decoder = made
    return made
  }

  /// The file whose position is the source's own: the first that is not read to its end yet.
  var head: FollowedFile? { queue.first { !$0.isDrained } ?? queue.last }

  var lag: UInt64 { queue.reduce(0) { $0 &+ $1.lag } }

  /// The name under which a file's position is stored. Slots are used again, so the store does not grow by a row with
  /// every rotation.
  func name(of file: FollowedFile) -> String { file.slot.map { Self.name(path, slot: $0) } ?? path }

  /// `isDone`: it was silent for so long that it is no longer followed. One that is not may have been written to since.
  static func name(_ path: String, slot: Int, isDone: Bool = false) -> String {
    "\(path) (rotated \(slot)\(isDone ? ", done" : ""))"
  }

  /// The path in a stored name, its slot, and whether it was done with.
  static func parse(_ name: String) -> (path: String, slot: Int?, isDone: Bool) {
    guard name.hasSuffix(")"), let open = name.lastIndex(of: "("), name[..<open].hasSuffix(" "),
      name[open...].hasPrefix("(rotated ")
    else { return (name, nil, false) }
    var number = name[open...].dropFirst(9).dropLast()
    let isDone = number.hasSuffix(", done")
    if isDone { number = number.dropLast(6) }
    guard let slot = Int(number) else { return (name, nil, false) }
    return (String(name[..<open].dropLast()), slot, isDone)
  }

  /// A slot that no file in the queue has. The one that was used last before may be among them: what is stored there tells
  /// after a restart which generations were read.
  func freeSlot() -> Int {
    var slot = 1
    while queue.contains(where: { $0.slot == slot }) { slot += 1 }
    return slot
  }

  /// Positions that moved since the last call. Files that wait for an earlier one have none yet.
  func takePositions() -> [SourcePosition] {
    var result: [SourcePosition] = []
    let head = head
    for file in queue {
      if file.hasMoved {
        file.hasMoved = false
        result.append(
          SourcePosition(source: name(of: file), position: .file(file.identity, offset: file.offset)))
      }
      if file === head { break }
    }
    return result
  }
}
