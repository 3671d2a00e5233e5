// swift-tools-version: 6.3
import PackageDescription
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
let package = Package(
  name: "bailiff",
  platforms: [.macOS(.v15)],
  targets: [
    .systemLibrary(name: "CSystemd", pkgConfig: "libsystemd", providers: [.apt(["libsystemd-dev"])]),
    .target(name: "Model", swiftSettings: strict),
    .target(name: "LogSources", dependencies: ["Model", "CSystemd"], swiftSettings: strict),
    .testTarget(name: "LogSourcesTests", dependencies: ["Model", "LogSources"], swiftSettings: strict),
    .executableTarget(name: "srcbench", dependencies: ["Model", "LogSources", "CSystemd"]),
  ]
)
