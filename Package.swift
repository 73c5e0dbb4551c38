// swift-tools-version: 6.1
// The targets stand in data-flow order: a target depends only on targets above it, so reading this
// manifest from top to bottom is reading the pipeline.
import PackageDescription

let package = Package(
  name: "encoder",
  platforms: [.macOS(.v15)],
  products: [
    .executable(name: "encoder", targets: ["EncoderCLI"]),
    .executable(name: "encoder-bench", targets: ["EncoderBench"]),
    .library(name: "Tokenization", targets: ["Tokenization"]),
    .library(name: "Datasets", targets: ["Datasets"]),
    .library(name: "Kernels", targets: ["Kernels"]),
    .library(name: "EncoderModel", targets: ["EncoderModel"]),
    .library(name: "Checkpoints", targets: ["Checkpoints"]),
    .library(name: "Training", targets: ["Training"]),
    .library(name: "Metrics", targets: ["Metrics"]),
    .library(name: "Reporting", targets: ["Reporting"]),
    .library(name: "Recommendation", targets: ["Recommendation"]),
    .library(name: "Serving", targets: ["Serving"]),
  ],
  traits: [
    .default(enabledTraits: ["Server"]),
    .trait(
      name: "Server",
      description: "encoder serve, with Hummingbird and SQLite; without it builds are shorter."),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
    .package(url: "https://github.com/apple/swift-numerics", from: "1.1.0"),
    .package(
      url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1", traits: []),
    .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
  ],
  targets: [
    .systemLibrary(
      name: "COpenBLAS", pkgConfig: "openblas", providers: [.apt(["libopenblas-dev"])]),
    .systemLibrary(
      name: "CUtf8proc", pkgConfig: "libutf8proc", providers: [.apt(["libutf8proc-dev"])]),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .target(
      name: "CKernels", linkerSettings: [.linkedLibrary("m", .when(platforms: [.linux]))]),

    .target(name: "Tokenization", dependencies: ["CUtf8proc"]),
    .target(name: "Datasets", dependencies: ["Tokenization", "CZlib"]),
    .target(
      name: "Kernels",
      dependencies: [
        "COpenBLAS", "CKernels", .product(name: "RealModule", package: "swift-numerics"),
      ],
      linkerSettings: [.linkedLibrary("m", .when(platforms: [.linux]))]),
    .target(
      name: "EncoderModel",
      dependencies: [
        "Kernels", "Tokenization", .product(name: "RealModule", package: "swift-numerics"),
      ]),
    .target(name: "Checkpoints", dependencies: ["EncoderModel"]),
    .target(
      name: "Training",
      dependencies: [
        "Datasets", "Checkpoints", .product(name: "Logging", package: "swift-log"),
      ]),
    .target(name: "Metrics"),
    .target(name: "Reporting"),
    .target(name: "Recommendation", dependencies: ["Training", "Metrics", "Reporting"]),
    .target(
      name: "Serving",
      dependencies: [
        "Recommendation",
        .product(
          name: "Hummingbird", package: "hummingbird",
          moduleAliases: ["Metrics": "ServerMetrics"], condition: .when(traits: ["Server"])),
        .product(
          name: "HummingbirdCore", package: "hummingbird",
          moduleAliases: ["Metrics": "ServerMetrics"], condition: .when(traits: ["Server"])),
        .product(name: "GRDB", package: "GRDB.swift", condition: .when(traits: ["Server"])),
        .product(name: "Logging", package: "swift-log"),
      ],
      resources: [
        .embedInCode("Page/index.html"), .embedInCode("Page/page.css"),
        .embedInCode("Page/page.js"), .embedInCode("Page/favicon.svg"),
        .embedInCode("openapi.json"),
      ]),
    .executableTarget(
      name: "EncoderCLI",
      dependencies: [
        "Recommendation", "Reporting", "Serving",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "Logging", package: "swift-log"),
      ]),
    .executableTarget(
      name: "EncoderBench",
      dependencies: [
        "Recommendation",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ]),

    .target(
      name: "TestSupport", dependencies: ["EncoderModel", "Checkpoints"],
      path: "Tests/TestSupport"),
    .target(
      name: "CKernelsVariants", dependencies: ["CKernels"], path: "Tests/CKernelsVariants"),
    .target(name: "Fuzzing", dependencies: ["Recommendation"], path: "Tests/Fuzzing"),
    .executableTarget(name: "encoder-fuzz", dependencies: ["Fuzzing"], path: "Tests/Fuzz"),
    .testTarget(name: "TokenizationTests", dependencies: ["Tokenization", "TestSupport"]),
    .testTarget(name: "DatasetsTests", dependencies: ["Datasets", "TestSupport"]),
    .testTarget(
      name: "KernelsTests", dependencies: ["Kernels", "CKernelsVariants", "TestSupport"]),
    .testTarget(name: "EncoderModelTests", dependencies: ["EncoderModel", "TestSupport"]),
    .testTarget(name: "CheckpointsTests", dependencies: ["Checkpoints", "TestSupport"]),
    .testTarget(name: "TrainingTests", dependencies: ["Training", "TestSupport"]),
    .testTarget(name: "MetricsTests", dependencies: ["Metrics", "TestSupport"]),
    .testTarget(name: "ReportingTests", dependencies: ["Reporting", "TestSupport"]),
    .testTarget(
      name: "RecommendationTests", dependencies: ["Recommendation", "TestSupport"]),
    .testTarget(name: "FuzzingTests", dependencies: ["Fuzzing"]),
    .testTarget(name: "ServingTests", dependencies: ["Serving", "TestSupport"]),
    .testTarget(name: "EncoderCLITests", dependencies: ["EncoderCLI", "TestSupport"]),
  ]
)
