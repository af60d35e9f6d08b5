// swift-tools-version: 6.2
import PackageDescription

// The list of targets is the map: each may import only what stands above it, and CI proves it with
// `--explicit-target-dependency-import-check error`. docs/architecture.md says what each holds.

let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
]

func module(
    _ name: String, _ dependencies: [Target.Dependency], resources: [Resource]? = nil
) -> Target {
    .target(name: name, dependencies: dependencies, resources: resources, swiftSettings: strict)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(
        name: name, dependencies: dependencies + ["TestSupport"], swiftSettings: strict)
}

let package = Package(
    name: "Freshet",
    products: [
        .library(name: "Freshet", targets: ["Freshet"]),
        .executable(name: "freshet", targets: ["freshet-cli"]),
    ],
    targets: [
        // System libraries, each imported by exactly one module.
        .systemLibrary(name: "CLinux"),
        .systemLibrary(name: "CHiredis"),
        .systemLibrary(name: "CMicrohttpd"),
        .systemLibrary(name: "CYaml"),
        .systemLibrary(name: "CCurl"),
        .systemLibrary(name: "CPostgres"),
        .systemLibrary(name: "CZlib"),
        .systemLibrary(name: "CZstd"),
        .systemLibrary(name: "CNettle"),
        .systemLibrary(name: "CSpawn"),

        // Layer 0: pure values, and what a process stands on.
        module("FreshetModel", []),
        module("Runtime", ["CLinux"]),

        // Layer 1: one library or format each.
        module("Codecs", ["CZlib", "CZstd", "CNettle"]),
        module("Redis", ["Runtime", "CHiredis"]),
        module("HTTPServer", ["Runtime", "CMicrohttpd"]),
        module("Configuration", ["FreshetModel", "CYaml"]),

        // Layer 2: the coordination, and how payloads are produced.
        module(
            "Coordination", ["FreshetModel", "Runtime", "Redis"],
            resources: [.embedInCode("Lua")]),
        module(
            "RefreshSources",
            ["FreshetModel", "Runtime", "Codecs", "CCurl", "CPostgres", "CSpawn"]),

        // How coordination looks in JSON, for the API and for operators alike.
        module("Representation", ["FreshetModel", "Codecs", "Coordination"]),

        // Layer 3: the roles.
        module(
            "API",
            ["FreshetModel", "Runtime", "Codecs", "HTTPServer", "Coordination", "Representation"],
            resources: [.embedInCode("Dashboard/Page")]),
        module("Worker", ["FreshetModel", "Runtime", "Codecs", "Coordination", "RefreshSources"]),
        module("Scheduler", ["FreshetModel", "Runtime", "Coordination"]),
        module(
            "Operator", ["FreshetModel", "Runtime", "Codecs", "Coordination", "Representation"]),

        // Layer 4: the library for Swift programs and the command.
        module(
            "Freshet",
            [
                "FreshetModel", "Runtime", "Redis", "Coordination", "RefreshSources", "API",
                "Worker", "Scheduler",
            ]),
        .executableTarget(
            name: "freshet-cli",
            dependencies: [
                "FreshetModel", "Runtime", "Codecs", "Redis", "Configuration", "Coordination",
                "RefreshSources", "API", "Worker", "Scheduler", "Operator",
            ],
            swiftSettings: strict),

        // A slow server for the demo to refresh from.
        .executableTarget(
            name: "demo-source", dependencies: ["Runtime", "HTTPServer"], swiftSettings: strict),

        // Reads hostile bytes: `./dev fuzz`; without the fuzzer it replays seeds.
        .executableTarget(
            name: "freshet-fuzz",
            dependencies: [
                "FreshetModel", "Codecs", "Configuration", "Coordination",
                "RefreshSources", "API",
            ],
            path: "Tests/Fuzz", exclude: ["Seeds"], swiftSettings: strict),

        // Tests. TestSupport starts private servers and drives processes; it is no test itself.
        .target(
            name: "TestSupport", dependencies: [], path: "Tests/TestSupport", swiftSettings: strict),
        .executableTarget(
            name: "queue-bench",
            dependencies: [
                "FreshetModel", "Runtime", "Redis", "Coordination", "RefreshSources", "Worker",
                "TestSupport",
            ],
            path: "Benchmarks/QueueBench", swiftSettings: strict),
        tests("FreshetModelTests", ["FreshetModel"]),
        tests("RuntimeTests", ["Runtime"]),
        tests("CodecsTests", ["Codecs"]),
        tests("RedisTests", ["Redis", "Runtime"]),
        tests("HTTPServerTests", ["HTTPServer", "Runtime"]),
        tests("ConfigurationTests", ["Configuration", "FreshetModel"]),
        tests("CoordinationTests", ["Coordination", "FreshetModel", "Redis", "Runtime"]),
        tests("RefreshSourcesTests", ["RefreshSources", "FreshetModel", "Runtime", "Codecs"]),
        .target(
            name: "DutySupport",
            dependencies: [
                "TestSupport", "FreshetModel", "Runtime", "Coordination", "RefreshSources",
            ],
            path: "Tests/DutySupport", swiftSettings: strict),
        tests(
            "WorkerTests",
            [
                "DutySupport", "Worker", "FreshetModel", "Runtime", "Coordination",
                "RefreshSources",
            ]),
        tests(
            "SchedulerTests",
            ["DutySupport", "Scheduler", "FreshetModel", "Runtime", "Coordination"]),
        tests("FreshetTests", ["Freshet"]),
        tests(
            "APITests",
            ["API", "FreshetModel", "Runtime", "Codecs", "HTTPServer", "Coordination"]),
        tests("CommandTests", ["freshet-cli", "freshet-fuzz", "Runtime"]),
        tests("OperatorTests", ["Operator", "FreshetModel", "Codecs", "Coordination"]),
        tests("EndToEndTests", ["freshet-cli", "demo-source", "Codecs"]),
        tests("TidyTests", ["freshet-cli", "Coordination", "Redis"]),
    ]
)
