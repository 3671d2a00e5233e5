internal import System

/// A typed word in backticks, shortened so that a message stays one line on a screen.
func quoted(_ text: String) -> String {
  let short = text.unicodeScalars.prefix(60)
  let cut = short.endIndex < text.unicodeScalars.endIndex
  return "`" + printable(String(String.UnicodeScalarView(short))) + (cut ? "…" : "") + "`"
}

/// The candidate that `word` was most likely meant to be: at most a third of its letters away, counting letters added,
/// dropped, changed and swapped.
public func nearest(to word: String, among candidates: [String]) -> String? {
  let word = Array(word.lowercased().unicodeScalars.prefix(64))
  var best: (distance: Int, candidate: String)?
  for candidate in candidates {
    let letters = Array(candidate.lowercased().unicodeScalars)
    let limit = max(1, min(word.count, letters.count) / 3)
    guard abs(word.count - letters.count) <= limit else { continue }
    let distance = editDistance(word, letters)
    if distance <= limit, distance < best?.distance ?? .max { best = (distance, candidate) }
  }
  return best?.candidate
}

/// The optimal string alignment distance.
private func editDistance(_ a: [Unicode.Scalar], _ b: [Unicode.Scalar]) -> Int {
  var beforePrevious: [Int] = []
  var previous = Array(0...b.count)
  for i in 0..<a.count {
    var row = [i + 1]
    row.reserveCapacity(b.count + 1)
    for j in 0..<b.count {
      var distance = min(previous[j + 1] + 1, row[j] + 1, previous[j] + (a[i] == b[j] ? 0 : 1))
      if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { distance = min(distance, beforePrevious[j - 1] + 1) }
      row.append(distance)
    }
    beforePrevious = previous
    previous = row
  }
  return previous[b.count]
}

/// `did you mean …?`, or the list of what there is.
func suggestion(for word: String, among candidates: [String], otherwise: String) -> String {
  nearest(to: word, among: candidates).map { "did you mean \(quoted($0))?" } ?? otherwise
}

/// "a, b or c"
func listed(_ words: [String]) -> String {
  guard let last = words.last, words.count > 1 else { return words.first ?? "" }
  return words.dropLast().joined(separator: ", ") + " or " + last
}
