import Foundation
import Model
import TestSupport
import Testing

@testable import Lists

private func list(_ entries: String...) -> AddressList { AddressList(entries.map { Subnet($0)! }) }

private func read(_ text: String) -> ListText { ListText(Array(text.utf8).span) }

@Suite struct ListTests {
  /// Each form in which lists are published, with what else stands in it.
  @Test(arguments: [
    (
      "# netset\n192.0.2.0/24\n198.51.100.7\n\n2001:db8::/32 # remark\n",
      ["192.0.2.0/24", "198.51.100.7", "2001:db8::/32"]
    ),
    ("; Spamhaus\n192.0.2.0/24 ; SBL1\r\n198.51.100.0/25;SBL2\r\n", ["192.0.2.0/24", "198.51.100.0/25"]),
    (
      "{\"cidr\":\"192.0.2.0/24\",\"sblid\":\"SBL1\",\"rir\":\"x\"}\n{\"type\":\"metadata\",\"size\":1}\n",
      ["192.0.2.0/24"]
    ),
    (
      "create bad hash:net family inet\nadd bad 192.0.2.0/24\nadd bad 198.51.100.7\nadd bad 203.0.113.9 timeout 600\n",
      ["192.0.2.0/24", "198.51.100.7", "203.0.113.9"]
    ),
    ("ALL: 192.0.2.7\nsshd: 198.51.100.0/24\nALL: 192.0.2.9\n", ["192.0.2.7", "192.0.2.9", "198.51.100.0/24"]),
    (
      "Start\tEnd\tNetblock\tAttacks\n192.0.2.0\t192.0.2.255\t24\t4711\n198.51.100.0\t198.51.100.255\t24\t1\n",
      ["192.0.2.0/24", "198.51.100.0/24"]
    ),
    ("192.0.2.7,203.0.113.9\n192.0.2.9\t198.51.100.255\t24\n", ["192.0.2.7", "192.0.2.9"]),
    ("192.0.2.4-192.0.2.7\nname:198.51.100.1\n", ["192.0.2.4/30", "198.51.100.1"]),
    ("ip,score,last\n\"192.0.2.7\",100,2026-11-28\n\"2001:db8::7\",90,2026-11-28\n", ["192.0.2.7", "2001:db8::7"]),
    ("! comment\n// comment\n192.0.2.7 | 64496 | XX\n", ["192.0.2.7"]),
  ])
  func everyFormIsRead(_ text: String, _ expected: [String]) {
    let found = read(text)
    #expect(!found.isNoList)
    #expect(AddressList(found.subnets).entries.map(\.description) == expected)
  }

  @Test func aPageIsNoList() {
    let page = read(
      "<!DOCTYPE html>\n<html><head><title>403</title></head>\n<p>You (192.0.2.7) are rate limited.</p>\n<hr>\n")
    #expect(page.isNoList && page.firstStrange?.line == 1)
    let refused = read("{\"error\": \"rate limited\"}\n")
    #expect(refused.isNoList && refused.firstStrange?.text == "{\"error\": \"rate limited\"}")
    #expect(!read("").isNoList)
    let mistyped = read("192.0.2.7\n192.0.2.999\n198.51.100.1/33\n192.0.2.8\n203.0.113.9\n")
    #expect(mistyped.subnets.count == 3 && mistyped.strange == 2 && mistyped.firstStrange?.text == "192.0.2.999")
    #expect(ListText(Array("192.0.2.1\n192.0.2.3\n192.0.2.5\n".utf8).span, limit: 2).isTooLong)
  }

  /// A range becomes the fewest blocks that hold it and nothing else.
  @Test func rangesBecomeBlocks() throws {
    var numbers = Numbers(state: 7)
    for _ in 0..<2000 {
      let first = UInt32(truncatingIfNeeded: numbers.next() % 4096)
      let last = first + UInt32(numbers.next() % 4096)
      let blocks = try #require(ListText.range(Address(ipv4: first), Address(ipv4: last)))
      var next = UInt64(first)
      for block in blocks {
        #expect(UInt64(block.base.ipv4) == next)
        next = UInt64(block.last.ipv4) + 1
      }
      #expect(next == UInt64(last) + 1 && blocks.count <= 62)
    }
    #expect(ListText.range(Address("0.0.0.0")!, Address("255.255.255.255")!)!.map(\.description) == ["0.0.0.0/0"])
    let all = ListText.range(Address("::")!, Address("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")!)
    #expect(all?.map(\.length) == [1, 1])
    #expect(ListText.range(Address("192.0.2.7")!, Address("192.0.2.6")!) == nil)
    #expect(ListText.range(Address("192.0.2.7")!, Address("2001:db8::1")!) == nil)
  }

  /// Against the plain way: each address of a small world asked of each entry.
  @Test func findsWhatAPlainSearchFinds() {
    var numbers = Numbers(state: 11)
    func random() -> Subnet {
      Subnet(Address(ipv4: UInt32(truncatingIfNeeded: numbers.next() % 1024)), length: 118 + UInt8(numbers.next() % 11))
    }
    for _ in 0..<300 {
      let subnets = (0..<Int(numbers.next() % 12)).map { _ in random() }
      let others = (0..<Int(numbers.next() % 12)).map { _ in random() }
      let (list, other) = (AddressList(subnets), AddressList(others))
      for value in 0..<UInt32(1024) {
        let address = Address(ipv4: value)
        #expect((list.holding(address) != nil) == subnets.contains { $0.contains(address) })
      }
      for _ in 0..<20 {
        let asked = random()
        let overlaps = subnets.contains { $0.contains(asked) || asked.contains($0) }
        #expect((list.overlapping(asked) != nil) == overlaps)
      }
      let (added, removed) = list.difference(from: other)
      #expect(Set(other.entries).subtracting(removed).union(added) == Set(list.entries))
      #expect(Set(added).isDisjoint(with: other.entries) && Set(removed).isSubset(of: other.entries))
      let rest = list.without(other)
      #expect(
        rest.entries == list.entries.filter { entry in !others.contains { $0.contains(entry) || entry.contains($0) } })
    }
  }

  @Test func mistakesOfOthersAreRefused() throws {
    var check = ListCheck(own: [Address("198.51.100.4")!, Address("2001:db8:1::1")!])
    #expect(try check.blockable(list("192.0.2.0/24", "203.0.113.7")).entries.count == 2)
    for (bad, word) in [
      ("10.1.2.0/24", "private network"), ("192.0.0.0/7", "wider"), ("0.0.0.0/0", "wider"), ("::/0", "wider"),
      ("fe80::1", "private network"), ("198.51.100.0/24", "this machine"), ("2001:db8:1::/48", "this machine"),
    ] {
      let error = #expect(throws: ListProblem.self) { try check.blockable(list("192.0.2.0/24", bad)) }
      #expect(error?.description.contains(word) == true, "\(bad): \(error?.description ?? "")")
    }
    check.leavesOutPrivate = true
    #expect(try check.blockable(list("192.0.2.0/24", "10.1.2.0/24")) == list("192.0.2.0/24"))
    check.allowed = list("192.0.2.128/26")
    #expect(try check.blockable(list("192.0.2.0/24", "203.0.113.7")) == list("203.0.113.7"))
    #expect(throws: ListProblem.self) { try check.allowable(list("0.0.0.0/0")) }
  }

  @Test func halfAListIsRefused() throws {
    let full = AddressList((0..<200).map { Subnet(Address(ipv4: 0xCB00_7100 + UInt32($0) * 2)) })
    let tenth = AddressList(full.entries.prefix(20))
    #expect(try ListCheck().blockable(tenth, before: full) == tenth)
    #expect(throws: ListProblem.self) { try ListCheck().blockable(AddressList(full.entries.prefix(19)), before: full) }
    #expect(throws: ListProblem.self) { try ListCheck().allowable(AddressList(), before: full) }
    #expect(try ListCheck().blockable(AddressList(), before: AddressList(full.entries.prefix(99))).isEmpty)
  }

  @Test func theLastGoodOneIsKept() throws {
    let directory = try TestDirectory("lists")
    let cache = ListCache(directory: directory("cache"))
    #expect(cache.load("drop") == nil)
    let kept = ListCache.Kept(
      list: list("192.0.2.0/24", "2001:db8::7"),
      version: ListVersion(parts: ["\"abc\"", "Sat, 28 Nov 2026 04:35:01 GMT"]),
      fetched: Instant(microseconds: 1_795_840_000_000_000))
    try cache.store("drop", kept)
    let loaded = try #require(cache.load("drop"))
    #expect(loaded.list == kept.list && loaded.version == kept.version && loaded.fetched == kept.fetched)
    try directory.write("cache/drop", "half")
    #expect(cache.load("drop") == nil)
  }

  @Test func filesAndDirectoriesAreReadAgainWhenTheyChange() throws {
    let directory = try TestDirectory("lists")
    try FileManager.default.createDirectory(atPath: directory("all"), withIntermediateDirectories: true)
    try directory.write("all/one", "192.0.2.1")
    try directory.write("all/two", "192.0.2.2\n")
    try directory.write("all/.hidden", "192.0.2.3\n")
    let source = ListSource.path(directory("all"))
    guard case .text(let text, let version) = try source.read(unless: nil) else { throw CocoaError(.fileNoSuchFile) }
    #expect(ListText(text.span).subnets.map(\.description) == ["192.0.2.1", "192.0.2.2"])
    guard case .unchanged = try source.read(unless: version) else { throw CocoaError(.fileNoSuchFile) }
    try directory.write("all/two", "192.0.2.2\n192.0.2.4\n")
    guard case .text(let again, _) = try source.read(unless: version) else { throw CocoaError(.fileNoSuchFile) }
    #expect(ListText(again.span).subnets.count == 3)
    #expect(throws: ListProblem.self) { try ListSource.path(directory("none")).read(unless: nil) }
  }

  /// Captchas, countries and what is over are no bans.
  @Test func crowdSecsDecisionsAreAList() throws {
    let receiver = try Receiver("list_server.py")
    let url = "http://127.0.0.1:\(receiver.port)/"
    let source = ListSource.crowdSec(url: url, key: "0123456789abcdef", authority: nil)
    guard case .entries(let list, _) = try source.read(unless: nil) else { throw CocoaError(.fileNoSuchFile) }
    #expect(list.entries.map(\.description) == ["10.0.0.9", "198.51.100.7", "203.0.113.0/24", "2001:db8:7::/48"])
    // One entry that no list should hold is left out, and the others are taken.
    let check = ListCheck(own: [Address("203.0.113.5")!], isOfDecisions: true)
    #expect(try check.blockable(list).entries.map(\.description) == ["198.51.100.7", "2001:db8:7::/48"])
    #expect(try check.blockable(AddressList(), before: list).isEmpty, "decisions come and go")
    let refused = #expect(throws: ListProblem.self) {
      try ListSource.crowdSec(url: url, key: "wrong", authority: nil).read(unless: nil)
    }
    #expect(refused?.description.contains("cscli bouncers add") == true)
    for (answer, isList) in [("null", false), ("[]", false), ("{}", true), (#"{"new":null,"deleted":null}"#, true)] {
      try Data(answer.utf8).write(to: URL(filePath: receiver.directory + "/decisions"))
      if isList {
        guard case .entries(let none, _) = try source.read(unless: nil) else { throw CocoaError(.fileNoSuchFile) }
        #expect(none.isEmpty, "\(answer)")
      } else {
        #expect(throws: ListProblem.self, "\(answer)") { try source.read(unless: nil) }
      }
    }
  }

  /// A real server: what has not changed is not sent again; errors have the server's word.
  @Test func urlsAreFetchedWithTheirETag() throws {
    let receiver = try Receiver("list_server.py")
    let source = ListSource.url("http://127.0.0.1:\(receiver.port)/drop.txt", authority: nil)
    guard case .text(let text, let version) = try source.read(unless: nil) else { throw CocoaError(.fileNoSuchFile) }
    #expect(ListText(text.span).subnets.map(\.description) == ["203.0.113.0/24", "198.51.100.7"])
    guard case .unchanged = try source.read(unless: version) else { throw CocoaError(.fileNoSuchFile) }
    let gone = #expect(throws: ListProblem.self) {
      try ListSource.url("http://127.0.0.1:\(receiver.port)/gone", authority: nil).read(unless: nil)
    }
    #expect(gone?.description == "the server answers 404")
    let port = receiver.port
    receiver.stop()
    #expect(throws: ListProblem.self) {
      try ListSource.url("http://127.0.0.1:\(port)/drop.txt", authority: nil).read(unless: version)
    }
  }
}
