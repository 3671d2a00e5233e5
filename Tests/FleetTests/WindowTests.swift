import Testing
@testable import Fleet
struct Placeholder { @Test func x() {} }
