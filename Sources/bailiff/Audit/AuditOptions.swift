public import ArgumentParser
public import AuditLog
import Model
import System

/// Which rows of the audit are wanted.
struct AuditOptions: ParsableArguments {
  @OptionGroup var range: RangeOptions
  @Option(help: ArgumentHelp("An address or a block; bans of blocks around it count too.", valueName: "cidr"))
  var ip: String?
  @Option(help: "The user that was tried, exactly.")
  var user: String?
  @Option(help: "A jail.")
  var jail: String?
  @Option(help: "A pattern's name.")
  var pattern: String?
  @Option(help: "A log file's path, or journal.")
  var source: String?
  @Option(help: "failure, ban, unban or operator; may be repeated.")
  var kind: [AuditRow.Kind] = []
  @Option(help: "Stands anywhere in the line, the user or what an operator did.")
  var text: String?

  func filter() throws -> AuditFilter {
    var filter = AuditFilter()
    (filter.since, filter.until) = try range.range()
    filter.identity = try parseSubnet(ip).map { .network($0) }
    filter.user = user
    filter.jail = jail
    filter.pattern = pattern
    filter.source = source
    filter.kinds = Set(kind)
    filter.text = text
    return filter
  }
}

extension AuditRow.Kind: ExpressibleByArgument {}
extension TopKey: ExpressibleByArgument {}
