// swift-tools-version: 6.3

import PackageDescription

/// Every room is compiled alike: language mode 6, strict memory safety, no warning let through.
let strict: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .strictMemorySafety(),
  .treatAllWarnings(as: .error),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
  .enableUpcomingFeature("InferIsolatedConformances"),
  .enableUpcomingFeature("ImmutableWeakCaptures"),
]

/// Where no line of a log is touched, small is better than fast.
let small: [SwiftSetting] = [.unsafeFlags(["-Osize"], .when(configuration: .release))]

func room(
  _ name: String, _ dependencies: [Target.Dependency], resources: [Resource]? = nil, isSmall: Bool = false
) -> Target {
  .target(
    name: name, dependencies: dependencies, resources: resources, swiftSettings: isSmall ? strict + small : strict)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .testTarget(name: name, dependencies: dependencies, swiftSettings: strict)
}

/// `BAILIFF_FUZZ=1` adds the fuzzer, whose `main` is libFuzzer's, and leaves of the API what decodes requests, so that
/// building it takes a minute and not ten (`make fuzz`).
let isFuzzing = Context.environment["BAILIFF_FUZZ"] != nil

let api: Target =
  isFuzzing
  ? .target(
    name: "API", dependencies: ["Model", "JSON"], sources: ["Requests.swift", "Access/Role.swift"],
    swiftSettings: strict)
  : room(
    "API",
    [
      "Model", "System", "JSON", "Metrics", "Cryptography", "AuditLog", "Settings", "Inspection", "Reporting",
      "HTTPServing",
      .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio"),
      .product(name: "NIOHTTP1", package: "swift-nio"),
    ],
    resources: [
      .embedInCode("Dashboard/Resources/dashboard.css"), .embedInCode("Dashboard/Resources/dashboard.js"),
    ], isSmall: true)

/// A module that libFuzzer's `main` calls has none of its own.
let fuzzer: [Target] =
  isFuzzing
  ? [
    .executableTarget(
      name: "fuzz", dependencies: ["Fuzzing"], path: "Tests/Fuzz",
      swiftSettings: strict + [.unsafeFlags(["-parse-as-library"])])
  ] : []

let package = Package(
  name: "bailiff",
  platforms: [.macOS(.v15)],
  products: [.executable(name: "bailiff", targets: ["bailiff"])],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
  ],
  targets: [
    // The C libraries, one module map each.
    .systemLibrary(name: "CPCRE2", pkgConfig: "libpcre2-8", providers: [.apt(["libpcre2-dev"])]),
    .systemLibrary(name: "CSystemd", pkgConfig: "libsystemd", providers: [.apt(["libsystemd-dev"])]),
    .systemLibrary(name: "CVectorscan", pkgConfig: "libhs", providers: [.apt(["libvectorscan-dev"])]),
    .systemLibrary(name: "CMnl", pkgConfig: "libmnl", providers: [.apt(["libmnl-dev"])]),
    .systemLibrary(name: "CSQLite", pkgConfig: "sqlite3", providers: [.apt(["libsqlite3-dev"])]),
    .systemLibrary(name: "CCrypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
    .systemLibrary(name: "CLinux"),
    // Not linked but loaded when they are first needed: see their shim.h.
    .systemLibrary(name: "CCurl", providers: [.apt(["libcurl4-openssl-dev"])]),
    .systemLibrary(name: "CMaxMindDB", providers: [.apt(["libmaxminddb-dev"])]),
    .systemLibrary(name: "CNATS"),
    .systemLibrary(name: "CYAML", pkgConfig: "yaml-0.1", providers: [.apt(["libyaml-dev"])]),

    // The rooms, in the order in which data flows through them.
    room("Model", []),
    room("System", ["Model", "CLinux"]),
    room("YAML", ["CYAML"]),
    room("Metrics", [], isSmall: true),
    room("JSON", ["Model", "System"]),
    room("Curl", ["System", "CCurl"], isSmall: true),
    room("Filters", ["Model"]),
    room("LogSources", ["Model", "System", "CSystemd", "CLinux"]),
    room("Matching", ["Model", "System", "Filters", "CPCRE2", "CVectorscan", "CLinux"]),
    room("Fail2banMatching", ["Model", "System", "Filters", "Matching"]),
    room("Detection", ["Model"]),
    room("LockoutGuard", ["Model", "System"], isSmall: true),
    room("Firewall", ["Model", "System", "CMnl"], isSmall: true),
    room("Geo", ["Model", "System", "CMaxMindDB"], isSmall: true),
    room("Lists", ["Model", "System", "JSON", "Curl", "Geo"], isSmall: true),
    room("SQLite", ["CSQLite"]),
    room("AuditLog", ["Model", "System", "SQLite", "CCrypto"]),
    room("Settings", ["Model", "System", "Filters", "Detection", "YAML"]),
    room("Fail2banImport", ["Model", "System", "Filters", "Fail2banMatching", "Detection", "Settings"], isSmall: true),
    room(
      "Pipeline",
      [
        "Model", "System", "Filters", "LogSources", "Matching", "Fail2banMatching", "Detection", "LockoutGuard",
        "Firewall", "Lists", "AuditLog", "Settings", "Fail2banImport", "Metrics",
      ]),
    room("Cryptography", ["CCrypto"], isSmall: true),
    room(
      "Inspection",
      [
        "Model", "System", "JSON", "Filters", "LogSources", "Matching", "Fail2banMatching", "Detection", "LockoutGuard",
        "AuditLog", "Settings", "Fail2banImport", "Pipeline", "Firewall", "Geo",
      ], isSmall: true),
    room(
      "HTTPServing",
      [
        "Model", .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
      ], isSmall: true),
    room("Fail2banSocket", ["Model", "System", "Filters", "Detection", "Settings", "Pipeline"], isSmall: true),
    room("Outputs", ["Model", "System", "JSON", "Curl", "AuditLog", "Settings"], isSmall: true),
    room(
      "BanSharing",
      [
        "Model", "System", "Metrics", "AuditLog", "Settings", "HTTPServing",
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
      ], isSmall: true),
    room(
      "Fleet",
      ["Model", "System", "JSON", "Detection", "AuditLog", "Settings", "Cryptography", "CNATS"]),
    room("Reporting", ["Model", "System", "JSON", "AuditLog", "Settings", "Inspection", "Geo"], isSmall: true),
    // Backup and restore, export, what a bug report needs.
    room("Maintenance", ["Model", "System", "Filters", "Detection", "SQLite", "AuditLog", "Settings"], isSmall: true),
    api,
    room(
      "Service",
      [
        "Model", "System", "JSON", "Metrics", "LogSources", "Firewall", "AuditLog", "Settings", "Pipeline", "API",
        "Outputs",
        "Fail2banSocket", "BanSharing", "Fleet", "CSystemd", "Geo", "Inspection", "Reporting",
      ], isSmall: true),
    .executableTarget(
      name: "bailiff",
      dependencies: [
        "Model", "System", "JSON", "Filters", "Matching", "Detection", "AuditLog", "Settings", "Fail2banImport",
        "Pipeline", "Inspection", "Reporting", "Maintenance", "API", "Outputs", "Fleet", "Service", "Cryptography",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: strict + small),

    // What each step costs a line: `swift run -c release Stages LOG`.
    .executableTarget(
      name: "Stages",
      dependencies: ["Model", "LogSources", "Matching", "Fail2banMatching", "Detection", "AuditLog", "Settings"],
      path: "Benchmarks/Stages", swiftSettings: strict),

    // What an aggregator decides a second: `swift run -c release FleetLoad`.
    .executableTarget(
      name: "FleetLoad", dependencies: ["Model", "Detection", "Fleet"], path: "Benchmarks/FleetLoad",
      swiftSettings: strict),

    .target(
      name: "TestSupport", dependencies: ["CLinux", "Filters", "System"], path: "Tests/TestSupport",
      swiftSettings: strict),
    tests("ModelTests", ["Model"]),
    tests("SystemTests", ["Model", "System", "TestSupport"]),
    tests("YAMLTests", ["YAML"]),
    tests("CurlTests", ["Curl", "System", "TestSupport"]),
    tests("Fail2banSocketTests", ["Model", "Fail2banSocket", "TestSupport"]),
    tests("BanSharingTests", ["Model", "BanSharing"]),
    tests("OutputsTests", ["Model", "System", "AuditLog", "Settings", "Outputs", "TestSupport"]),
    tests(
      "FleetTests", ["Model", "System", "AuditLog", "Settings", "Detection", "Cryptography", "Fleet", "TestSupport"]),
    tests("LogSourcesTests", ["Model", "System", "LogSources", "TestSupport"]),
    tests("MatchingTests", ["Model", "Filters", "Matching", "Fail2banMatching", "TestSupport"]),
    tests("Fail2banMatchingTests", ["Model", "Filters", "Matching", "Fail2banMatching", "TestSupport"]),
    tests("DetectionTests", ["Model", "Detection", "TestSupport"]),
    tests("FirewallTests", ["Model", "System", "Firewall", "LockoutGuard", "CLinux", "CMnl", "TestSupport"]),
    tests("GeoTests", ["Model", "Geo", "TestSupport"]),
    tests("ListsTests", ["Model", "Lists", "TestSupport"]),
    tests("SQLiteTests", ["SQLite"]),
    // Writes to a store until it is killed: AuditLogTests kills it.
    .executableTarget(
      name: "storewriter", dependencies: ["Model", "AuditLog"], path: "Tests/StoreWriter", swiftSettings: strict),
    tests("AuditLogTests", ["Model", "SQLite", "AuditLog", "storewriter"]),
    tests("SettingsTests", ["Model", "System", "YAML", "Filters", "Detection", "Settings", "TestSupport"]),
    tests("MaintenanceTests", ["Maintenance"]),
    // The filters in filters/, on the lines in fixtures/truth and fixtures/hostile.
    tests("FilterTests", ["Model", "Filters", "Matching", "Fail2banMatching", "Detection", "Settings"]),
    tests(
      "Fail2banImportTests",
      ["Model", "Filters", "Matching", "Fail2banMatching", "Detection", "Settings", "Fail2banImport", "TestSupport"]),
    tests(
      "PipelineTests",
      [
        "Model", "System", "Filters", "LogSources", "Matching", "Fail2banMatching", "Detection", "LockoutGuard",
        "Firewall",
        "AuditLog", "Settings", "Fail2banImport", "Pipeline", "TestSupport",
      ]),
    tests(
      "APITests",
      [
        "Model", "Settings", "HTTPServing", "API", .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio"),
      ]),
    // The pages of the modules, whose examples compile; the links in the documentation.
    tests("DocumentationTests", ["bailiff"]),
    tests("JSONTests", ["Model", "JSON"]),
    tests("MetricsTests", ["Metrics", "TestSupport"]),
    tests("CryptographyTests", ["Cryptography"]),
    tests("ServiceTests", ["Service"]),
    tests(
      "InspectionTests",
      ["Model", "System", "Filters", "Matching", "Settings", "Inspection", "Reporting", "TestSupport"]),
    // The built binary, from outside.
    tests("CommandTests", ["Model", "Settings", "API", "bailiff", "TestSupport"]),
    tests("EndToEndTests", ["TestSupport", "bailiff"]),
    // What fuzzers run, and the same on the inputs in fixtures/fuzz.
    .target(
      name: "Fuzzing",
      dependencies: [
        "Model", "Filters", "LogSources", "Matching", "Fail2banMatching", "Settings", "Fail2banImport", "API",
        "TestSupport",
      ],
      path: "Tests/Fuzzing", swiftSettings: strict),
    tests("FuzzTests", ["Fuzzing", "TestSupport"]),
    // What must not get worse (Benchmarks/floors.json).
    tests("FloorTests", ["Model", "Matching", "Fail2banMatching", "Detection", "Settings", "bailiff"]),
  ] + fuzzer
)
