import Foundation
public import Testing

/// Asks until `condition` holds. A slow machine gets `seconds`; then the test fails, and ends.
public func poll(
  _ what: @autoclosure () -> String, seconds: Double = 120, every pause: Duration = .milliseconds(50),
  sourceLocation: SourceLocation = #_sourceLocation, until condition: () async throws -> Bool
) async throws {
  let end = Date(timeIntervalSinceNow: seconds)
  while !(try await condition()) {
    try #require(Date() < end, "not within \(seconds) s: \(what())", sourceLocation: sourceLocation)
    try await Task.sleep(for: pause)
  }
}

/// As `poll`, for a thread of the test's own, which may block.
public func pollBlocking(
  _ what: @autoclosure () -> String, seconds: Double = 120, every pause: Duration = .milliseconds(5),
  sourceLocation: SourceLocation = #_sourceLocation, until condition: () throws -> Bool
) throws {
  let end = Date(timeIntervalSinceNow: seconds)
  while !(try condition()) {
    try #require(Date() < end, "not within \(seconds) s: \(what())", sourceLocation: sourceLocation)
    Thread.sleep(forTimeInterval: pause / .seconds(1))
  }
}
