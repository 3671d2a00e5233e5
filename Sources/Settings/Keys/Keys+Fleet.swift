extension Keys {
  static let fleet: [Key] = [
    Key("servers", .list(.text), "NATS servers with JetStream: nats://nats1.example.org:4222, tls://…"),
    Key("credentials", .text, "A file of credentials (JWT and seed) as nsc writes it."),
    Key("user", .text, "In place of credentials: who logs in to NATS."),
    Key("password", secret, "Its password.", isSecret: true),
    Key("tls", .map(fleetTLS), "Certificates of the connection."),
    Key("name", .text, "What this server is called in the fleet; the machine's name unless told."),
    Key("site", .text, "Where it is: main unless told."),
    Key("aggregate", .bool, "It decides for the fleet, too; three that do are enough."),
    Key("nodes", .integer(2...1000), "A fleet ban takes failures on so many servers: 3 unless told …"),
    Key("sites", .integer(1...100), "… of so many sites: 2 unless told."),
    Key("key", secret, "User names are hashed with it; without it none leave this machine.", isSecret: true),
    Key("operators", .list(.text), "Public keys whose orders the fleet obeys, as `bailiff fleet key` prints them."),
    Key("operator_key", .text, "The file of this operator's private key, where orders are given."),
  ]

  static let fleetTLS: [Key] = [
    Key("ca", .text, "A file of certificate authorities (PEM) in place of the system's."),
    Key("certificate", .text, "This server's certificate (PEM)."),
    Key("key", .text, "Its private key (PEM)."),
  ]
}
