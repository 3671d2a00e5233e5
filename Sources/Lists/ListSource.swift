internal import Curl
internal import Geo
internal import Glibc
public import Model
internal import System

/// Where a list comes from.
public enum ListSource: Hashable, Sendable, CustomStringConvertible {
  /// A file, or all files of a directory whose names do not begin with a dot.
  case path(String)
  /// http: or https:; a file of authorities (PEM) in place of the system's.
  case url(String, authority: String?)
  /// The decisions of a CrowdSec local API, which knows us by a bouncer's key.
  case crowdSec(url: String, key: String, authority: String?)
  /// Countries (codes in capitals) and networks (numbers), each from the database that knows them.
  case places(countries: Set<String>, countryFile: String?, networks: Set<UInt32>, networkFile: String?)

  public var description: String {
    switch self {
    case .path(let path): path
    case .url(let url, _), .crowdSec(let url, _, _): url
    case .places(let countries, _, let networks, _):
      (countries.sorted() + networks.sorted().map { "AS\($0)" }).joined(separator: ", ")
    }
  }
}

/// How to see whether a source has changed without reading it again.
public struct ListVersion: Hashable, Sendable {
  /// Of files: which they are, how long, and when they were written. Of a URL: ETag and Last-Modified.
  var parts: [String]
}

/// What looking at a source brought.
public enum ListAnswer: Sendable {
  case unchanged
  case text([UInt8], ListVersion)
  case entries(AddressList, ListVersion)
}

extension ListSource {
  /// Bytes that a list may have.
  public static let sizeLimit = 256 << 20
  /// Seconds until a transfer is given up.
  public static let timeout = 120

  /// Reads the list, unless it is as it was. Blocks for as long as that takes.
  public func read(unless known: ListVersion?) throws(ListProblem) -> ListAnswer {
    switch self {
    case .path(let path):
      do throws(SystemError) {
        return try Self.readFiles(path, unless: known)
      } catch {
        throw ListProblem(error)
      }
    case .url(let url, let authority): return try Self.fetch(url, authority, unless: known)
    case .crowdSec(let url, let key, let authority):
      // All of it each time: differences are told once, and what was lost on the way would be lost for good.
      let path = (url.hasSuffix("/") ? String(url.dropLast()) : url) + "/v1/decisions/stream?startup=true"
      guard
        case .text(let answer, let version) = try Self.fetch(
          path, authority, unless: nil, headers: [("X-Api-Key", key)])
      else { return .unchanged }
      return .entries(try CrowdSecDecisions.parse(answer), version)
    case .places(let countries, let countryFile, let networks, let networkFile):
      return try Self.look(up: countries, countryFile, networks, networkFile, unless: known)
    }
  }

  private static func look(
    up countries: Set<String>, _ countryFile: String?, _ networks: Set<UInt32>, _ networkFile: String?,
    unless known: ListVersion?
  ) throws(ListProblem) -> ListAnswer {
    let version: ListVersion
    do throws(SystemError) {
      version = ListVersion(parts: try [countryFile, networkFile].compactMap { $0 }.map(state))
    } catch {
      throw ListProblem(error)
    }
    if version == known { return .unchanged }
    var found: [Subnet] = []
    do throws(GeoProblem) {
      if let countryFile { found += try GeoDatabase(path: countryFile).subnets(countries: countries) }
      if let networkFile { found += try GeoDatabase(path: networkFile).subnets(networks: networks) }
    } catch {
      throw ListProblem("\(error)")
    }
    return .entries(AddressList(found), version)
  }

  /// Which file it is, how long, and when it was written.
  private static func state(of file: String) throws(SystemError) -> String {
    let status = try FileStatus.of(path: file)
    return "\(file) \(status.device) \(status.inode) \(status.size) \(status.modified)"
  }

  private static func readFiles(_ path: String, unless known: ListVersion?) throws(SystemError) -> ListAnswer {
    var files = [path]
    if try FileStatus.of(path: path).isDirectory {
      files = try Directory.names(path).filter { !$0.hasPrefix(".") }.map { "\(path)/\($0)" }
    }
    let version = ListVersion(parts: try files.map(state))
    if version == known { return .unchanged }
    var text: [UInt8] = []
    for file in files {
      text += try SmallFile.read(file, limit: sizeLimit - text.count)
      text.append(10)
    }
    return .text(text, version)
  }

  private static func fetch(
    _ url: String, _ authority: String?, unless known: ListVersion?, headers: [(name: String, value: String)] = []
  ) throws(ListProblem) -> ListAnswer {
    var transfer = HTTPTransfer("GET", url)
    transfer.headers = headers
    transfer.redirects = 5
    transfer.options.timeout = timeout
    transfer.options.limit = sizeLimit
    transfer.options.authority = authority
    for (name, value) in zip(["If-None-Match", "If-Modified-Since"], known?.parts ?? []) where !value.isEmpty {
      transfer.headers.append((name, value))
    }
    let response: HTTPTransfer.Response
    do throws(TransferError) {
      var session = try CurlSession()
      response = try session.perform(transfer)
    } catch {
      throw ListProblem("\(error)")
    }
    if response.status == 304 { return .unchanged }
    guard response.status != 403 || headers.isEmpty else {
      throw ListProblem("it does not know the key; make one with `cscli bouncers add bailiff`")
    }
    guard response.status == 200 else { throw ListProblem("the server answers \(response.status)") }
    return .text(
      response.body, ListVersion(parts: [response.header("etag") ?? "", response.header("last-modified") ?? ""]))
  }
}
