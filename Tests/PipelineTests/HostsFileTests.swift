import Foundation
import Model
import TestSupport
import Testing

@testable import Pipeline

struct HostsFileTests {
  @Test func namesAreFoundAsTheFileHasThem() throws {
    let directory = try TestDirectory("hosts")
    let path = try directory.write(
      "hosts",
      """
      127.0.0.1 localhost
      192.0.2.1\tOffice.example.org office # 192.0.2.9 other.example.org
      # 192.0.2.2 office.example.org
      2001:db8::1 office.example.org
      fe80::1%eth0 router.example.org
      999.0.0.1 wrong.example.org
      192.0.2.1 office.example.org
      """)
    func find(_ name: String) -> [String] { HostsFile.addresses(of: name, path: path).map(\.description) }
    #expect(find("office.example.org.") == ["192.0.2.1", "2001:db8::1"])
    #expect(find("office.example.org") == ["192.0.2.1", "2001:db8::1"])
    #expect(find("router.example.org.") == ["fe80::1"])
    #expect(find("other.example.org.") == [])
    #expect(find("wrong.example.org.") == [])
    #expect(find("example.org.") == [])
    #expect(HostsFile.addresses(of: "localhost.", path: path + "-absent") == [])
  }
}
