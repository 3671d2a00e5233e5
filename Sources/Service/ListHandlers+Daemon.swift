internal import API
internal import Model
internal import Pipeline
internal import System

extension ListHandlers {
  init(_ daemon: Daemon) {
    self.init(
      lists: { daemon.listReports.map(ListReply.init) },
      accept: { request, caller in
        guard daemon.acceptList(request.name, uid: caller.actingUID),
          let report = daemon.listReports.first(where: { $0.name == request.name })
        else {
          let names = daemon.listReports.map(\.name)
          throw RequestError(
            .invalid, "there is no list `\(request.name)`",
            remedy: names.isEmpty ? "the settings name none" : "lists are: \(names.joined(separator: ", "))")
        }
        return ListReply(report)
      },
      allowed: { daemon.allowed.map(AllowedReply.init) },
      allow: { request, caller in
        guard let subnet = Identity(request.id).subnet else {
          throw RequestError(
            .invalid, "\(request.id) is no address", remedy: "give an address or a block such as 192.0.2.0/24")
        }
        return try await mappingErrors {
          AllowedReply(
            try await daemon.allow(
              subnet, for: request.time.map { .seconds($0) }, why: request.why ?? "", uid: caller.actingUID,
              command: caller.signed(request.command)))
        }
      },
      disallow: { request, caller in
        let isGone = try await mappingErrors {
          guard let subnet = Identity(request.id).subnet else { return false }
          return try await daemon.disallow(subnet, uid: caller.actingUID, command: caller.signed(request.command))
        }
        guard isGone else {
          throw RequestError(
            .rejected, "\(request.id) is not allowed by anybody's command",
            remedy: "bailiff allow lists who is; `ignoreip` and allow lists are in the settings")
        }
        return DisallowedReply(id: request.id)
      })
  }
}

extension ListReply {
  init(_ report: ListReport) {
    self.init(
      name: report.name, source: report.source, allow: report.allows, rulesOnly: report.isForRules,
      entries: report.entries, leftOut: report.leftOut, strange: report.strange, loaded: report.loaded,
      checked: report.checked, problem: report.problem)
  }
}

extension AllowedReply {
  init(_ allowance: Allowance) {
    self.init(
      id: "\(allowance.subnet)", since: allowance.since, until: allowance.until, uid: allowance.uid, why: allowance.why)
  }
}
