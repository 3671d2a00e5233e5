import Testing

@testable import Pipeline

@Suite struct ProcessorCountTests {
  @Test func theCoresThatAreAllowedAreCounted() {
    #expect(ProcessorCount.allowed("Name:\tx\nCpus_allowed:\t1\nCpus_allowed_list:\t0\n") == 1)
    #expect(ProcessorCount.allowed("Cpus_allowed:\t00ff,ffffffff\n") == 40)
    #expect(ProcessorCount.allowed("Name:\tx\n") == nil)
    #expect(ProcessorCount.available > 0)
  }
}
