/// What was tried, in the words of people: several filters' patterns of one kind.
///
/// The names of patterns are the filters' own; those of access logs say which kind of attack they stand for, and all others are told by
/// what their names have in common.
public enum AttackKind {
  /// `sql-injection` → `SQL injection`; `failed-password` → `failed login`.
  public static func name(ofPattern pattern: String) -> String {
    if let kind = web[pattern] { return kind }
    for (words, kind) in families where words.contains(where: pattern.contains) { return kind }
    return "other"
  }

  private static let web = [
    "path-traversal": "path traversal", "file-disclosure": "file disclosure", "sensitive-file": "sensitive file",
    "cross-site-scripting": "cross-site scripting", "sql-injection": "SQL injection",
    "code-injection": "code injection",
    "command-injection": "command injection", "attack-in-header": "code injection", "attack-in-query": "web attack",
    "embedded-attack": "web attack", "exploit": "known vulnerability", "product-exploit": "known vulnerability",
    "device-exploit": "known vulnerability of a device", "backdoor": "web shell",
    "user-enumeration": "user enumeration",
    "scanner": "scanner", "harvester": "harvester", "connect": "open proxy use", "open-proxy": "open proxy use",
    "proxy": "open proxy use",
    "proxy-refused": "open proxy use", "trace": "unusual method", "method": "unusual method",
    "method-post": "unusual method", "method-asked-for": "unusual method", "admin-page": "administration page",
    "probe": "probing", "probe-with-name": "probing", "embedded-probe": "probing", "not-found": "probing",
    "not-found-by-crawler": "probing", "post-to-nothing": "probing", "odd-path": "probing", "odd-referrer": "probing",
    "forbidden": "probing", "denied": "probing", "malformed": "malformed request", "http-0.9": "malformed request",
    "no-http-version": "malformed request", "nothing-sent": "malformed request", "bad-request": "malformed request",
    "rate-limited": "too many requests", "unavailable": "too many requests", "bare-post": "probing",
    "login-form": "failed login", "login-sent": "login page", "wordpress-xmlrpc": "failed login",
  ]

  /// The first whose word a name holds.
  private static let families: [(words: [String], kind: String)] = [
    (["portscan", "blocked", "denied-connection", "denied-packet", "logged-packet"], "blocked by the firewall"),
    (["rule", "waf", "anomaly", "modsec"], "web application firewall"),
    (["relay", "spam", "helo", "sender", "recipient", "rcpt", "rbl", "dnsbl"], "mail abuse"),
    (["recursion", "query", "transfer", "refused-name"], "DNS abuse"),
    (["locked", "too-many", "limit", "flood"], "too many requests"),
    (
      [
        "login", "password", "auth", "user", "pam", "credential", "publickey", "token", "otp", "2fa", "bind", "account",
        "sasl", "preauth", "client", "rejected", "banned", "wrong", "peer",
      ], "failed login"
    ),
    (
      ["protocol", "handshake", "bad", "invalid", "tls", "ssl", "command", "negotiat", "banner", "kex"],
      "protocol abuse"
    ),
    (["connect", "disconnect", "drop", "close", "timeout"], "connection without a login"),
  ]
}
