/// The fields that a filter asks of a JSON object, as a tree of keys: reading a line follows it, and what is beside it is
/// only checked.
///
/// `a.b` is the key `b` of the object `a`, and also a key that is called `a.b`, as flat loggers write it. In an array a path
/// goes on in every element, or with a number (`a.0`) in that one.
struct JSONKeys: Sendable {
  struct Node: Sendable {
    /// The slots of the value itself.
    var slots: [Int] = []
    var keys: [Key] = []
    /// Elements of an array that have a node of their own; the others have their array's.
    var elements: [(index: Int, node: Int)] = []
  }

  struct Key: Sendable {
    var text: [UInt8]
    var node: Int
  }

  private(set) var nodes: [Node] = []
  let root: Int

  /// A node may have as many keys: one bit each says which have been seen.
  static let mostKeys = 64

  /// `fields`: slots, and the paths of their fields. Nil when an object would have too many keys that are asked for.
  init?(_ fields: [(slot: Int, name: String)]) {
    var builder = Builder()
    let all = fields.map { slot, path in
      Rest(slot: slot, parts: path.split(separator: ".", omittingEmptySubsequences: false).map(String.init)[...])
    }
    root = builder.node(Set(all))
    nodes = builder.nodes
    if nodes.contains(where: { $0.keys.count > Self.mostKeys }) { return nil }
  }

  /// Which key of a node this text is.
  func find(_ node: Int, _ text: borrowing Span<UInt8>, _ range: Range<Int>) -> Int? {
    for index in nodes[node].keys.indices where Self.equal(nodes[node].keys[index].text, text, range) { return index }
    return nil
  }

  private static func equal(_ key: [UInt8], _ text: borrowing Span<UInt8>, _ range: Range<Int>) -> Bool {
    guard key.count == range.count else { return false }
    for i in key.indices where key[i] != text[range.lowerBound + i] { return false }
    return true
  }

  /// What is left of a slot's path.
  private struct Rest: Hashable {
    var slot: Int
    var parts: ArraySlice<String>
  }

  /// One node for each set of rests that can meet at a value.
  private struct Builder {
    var nodes: [Node] = []
    private var known: [Set<Rest>: Int] = [:]

    mutating func node(_ rests: Set<Rest>) -> Int {
      if let index = known[rests] { return index }
      let index = nodes.count
      known[rests] = index
      nodes.append(Node(slots: rests.filter(\.parts.isEmpty).map(\.slot).sorted()))
      var below: [String: Set<Rest>] = [:]
      for rest in rests {
        for count in rest.parts.indices.map({ $0 - rest.parts.startIndex + 1 }) {
          let key = rest.parts.prefix(count).joined(separator: ".")
          below[key, default: []].insert(Rest(slot: rest.slot, parts: Array(rest.parts.dropFirst(count))[...]))
        }
      }
      for (key, rests) in below.sorted(by: { $0.key < $1.key }) {
        nodes[index].keys.append(Key(text: Array(key.utf8), node: node(rests)))
      }
      for (key, below) in below.sorted(by: { $0.key < $1.key }) {
        guard let element = Int(key), element >= 0, String(element) == key else { continue }
        nodes[index].elements.append((element, node(rests.union(below))))
      }
      return index
    }
  }
}
