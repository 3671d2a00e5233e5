/// One kind of source: it owns its descriptors, finds what specs of its kind want, reads it through a `LineOutlet` and says
/// how far. Everything is called on the reader's thread. A new kind is a new file, a case of `SourceSpec.Kind`, and its name
/// in `ReaderLoop`.
protocol LogSource: AnyObject {
  /// What is wanted from now on. Specs of other kinds are others' concern; what is wanted as before goes on where it is.
  /// `reload` is nil at the start.
  func apply(_ specs: [SourceSpec], _ reload: ReloadSnapshot?)

  /// Reads its share of what there is; true when there may be more at once. Called after each wait, whoever was waited for,
  /// so a turn in which nothing happened costs next to nothing. `now`: monotonic seconds.
  func turn(now: Double) -> Bool

  /// When it must have a turn although none of its descriptors is ready (monotonic seconds); infinity: never.
  var nextTurn: Double { get }

  /// Nothing can come of it as long as nothing else is wanted.
  var isFinished: Bool { get }
}
