internal import System

/// Why a list is not taken over. The one from before holds.
public struct ListProblem: Error, Sendable, Equatable, CustomStringConvertible {
  public var description: String

  public init(_ description: String) { self.description = description }

  init(_ error: SystemError) { description = "\(error)" }
}
