import Foundation
import LogSources
import Model
import Testing

/// Containers are followed by name, in directories as Docker 20.10 and Podman 4.3 leave them.
@Suite struct ContainerTests {
  let directory = TemporaryDirectory()

  private func make(docker id: String, name: String, driver: String = "json-file", _ lines: String...) throws {
    let own = directory("containers/\(id)")
    try FileManager.default.createDirectory(atPath: own, withIntermediateDirectories: true)
    let config = #"{"ID":"\#(id)","Name":"/\#(name)","State":{"Running":true},"Config":{"Labels":{"tier":"web"}}}"#
    try Data(#"{"LogConfig":{"Type":"\#(driver)","Config":{}}}"#.utf8).write(
      to: URL(filePath: own + "/hostconfig.json"))
    try Data(config.utf8).write(to: URL(filePath: own + "/config.v2.json"))
    if driver == "json-file" { try append(docker: id, lines) }
  }

  private func append(docker id: String, _ lines: [String]) throws {
    try directory.append(lines.map { EnvelopeTests.docker($0 + "\\n") }.joined(), to: "containers/\(id)/\(id)-json.log")
  }

  private func spec(_ names: String...) -> SourceSpec { .containers(names, roots: [directory.path]) }

  @Test func aContainerIsFollowedThroughAnotherOneOfItsName() throws {
    try make(docker: "aa", name: "gate", "before")
    try make(docker: "bb", name: "other", "not ours")
    let run = try RunningReader([spec("gate")])
    run.waitUntilReading()
    try append(docker: "aa", ["1"])
    run.wait(forLines: ["1"])
    // docker rm -f gate; docker run --name gate …
    try FileManager.default.removeItem(atPath: directory("containers/aa"))
    try make(docker: "cc", name: "gate", "2")
    run.wait(forLines: ["1", "2"])
    try append(docker: "cc", ["3"])
    run.wait(forLines: ["1", "2", "3"])
  }

  @Test func rotationsOfItsLog() throws {
    try make(docker: "aa", name: "gate", "before")
    let run = try RunningReader([spec("ga*")])
    run.waitUntilReading()
    let log = "containers/aa/aa-json.log"
    var expected: [String] = []
    for turn in 0..<3 {
      for number in 0..<50 {
        expected.append("\(turn) \(number)")
        try append(docker: "aa", [expected.last!])
      }
      // max-file=3
      for old in [2, 1] where FileManager.default.fileExists(atPath: directory("\(log).\(old)")) {
        try directory.rename("\(log).\(old)", "\(log).\(old + 1)")
      }
      try directory.rename(log, "\(log).1")
      try directory.write("", to: log)
    }
    run.wait(forLines: expected)
  }

  @Test func labels() throws {
    try make(docker: "aa", name: "gate", "before")
    let run = try RunningReader([spec("label=tier=web"), spec("label=tier=db")])
    run.waitUntilReading()
    try append(docker: "aa", ["1"])
    run.wait(forLines: ["1"])
    #expect(run.reader.status().map(\.info.specs).contains([0]))
  }

  @Test func podmansContainers() throws {
    let storage = directory("overlay-containers")
    try FileManager.default.createDirectory(atPath: storage + "/aa/userdata", withIntermediateDirectories: true)
    try directory.write(
      "2026-11-28T17:17:18.015280743+00:00 stdout F before\n", to: "overlay-containers/aa/userdata/ctr.log")
    try directory.write(
      #"[{"id":"aa","names":["pgate"],"image":"","metadata":"{}"}]"#, to: "overlay-containers/containers.json")
    let run = try RunningReader([spec("pgate")])
    run.waitUntilReading()
    try directory.append(
      "2026-11-28T17:17:19.015280743+00:00 stderr F Failed\n", to: "overlay-containers/aa/userdata/ctr.log")
    run.wait(forLines: ["Failed"])
    // log-size-max: another file takes the path, and the old lines are gone.
    try directory.append(
      "2026-11-28T17:17:20.015280743+00:00 stderr F last\n", to: "overlay-containers/aa/userdata/ctr.log")
    try directory.write(
      "2026-11-28T17:17:21.015280743+00:00 stderr F new\n", to: "overlay-containers/aa/userdata/ctr.log.tmp")
    try directory.rename("overlay-containers/aa/userdata/ctr.log.tmp", "overlay-containers/aa/userdata/ctr.log")
    run.wait(forLines: ["Failed", "last", "new"])
  }

  @Test func kubernetesLinks() throws {
    try FileManager.default.createDirectory(atPath: directory("containers"), withIntermediateDirectories: true)
    try FileManager.default.createDirectory(atPath: directory("pods/p/web"), withIntermediateDirectories: true)
    try directory.write("2026-11-28T17:17:18.015280743Z stdout F before\n", to: "pods/p/web/0.log")
    try FileManager.default.createSymbolicLink(
      atPath: directory("containers/pod-1_default_web-0123abcd.log"), withDestinationPath: directory("pods/p/web/0.log")
    )
    let run = try RunningReader([.containers(["web"], roots: [directory("containers")])])
    run.waitUntilReading()
    try directory.append("2026-11-28T17:17:19.015280743Z stdout F 1\n", to: "pods/p/web/0.log")
    run.wait(forLines: ["1"])
    // The kubelet rotates, and containerd opens another file.
    try directory.rename("pods/p/web/0.log", "pods/p/web/0.log.20261128-171720")
    try directory.write("2026-11-28T17:17:20.015280743Z stdout F 2\n", to: "pods/p/web/0.log")
    run.wait(forLines: ["1", "2"])
  }

  @Test func whatCannotBeReadSaysWhy() throws {
    try make(docker: "aa", name: "gate", driver: "local")
    let run = try RunningReader([spec("gate", "missing")])
    run.wait("both are told") { run.reader.status().count == 2 && run.sink.events.count >= 2 }
    let states = run.reader.status().map(\.state)
    #expect(
      states.contains { if case .failed(let reason) = $0 { reason.contains("--log-driver json-file") } else { false } })
    #expect(states.contains(.waiting("there is no such container (yet)")))
    // It is made again with another driver.
    try FileManager.default.removeItem(atPath: directory("containers/aa"))
    try make(docker: "bb", name: "gate", "1")
    run.wait(forLines: ["1"])
  }
}
