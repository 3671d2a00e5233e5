public import Model

extension ControlClient {
  public func lists() throws(RequestError) -> [ListReply] { try all("/api/v1/lists") }

  public func acceptList(_ name: String) throws(RequestError) -> ListReply {
    try post("/api/v1/lists/accept", ListRequest(name: name))
  }

  public func allowed() throws(RequestError) -> [AllowedReply] { try all("/api/v1/allowed") }

  public func allow(_ request: AllowRequest) throws(RequestError) -> AllowedReply {
    try post("/api/v1/allow", request)
  }

  public func disallow(_ id: String) throws(RequestError) -> DisallowedReply {
    try post("/api/v1/disallow", DisallowRequest(id: id))
  }

  private func all<Reply: Decodable>(_ path: String) throws(RequestError) -> [Reply] {
    var replies: [Reply] = []
    try lines(path, []) { (part: [Reply]) in replies += part }
    return replies
  }
}
