/// Why a database cannot be used, or does not know what it is asked for.
public struct GeoProblem: Error, Sendable, Equatable, CustomStringConvertible {
  public var description: String

  init(_ description: String) { self.description = description }
}
