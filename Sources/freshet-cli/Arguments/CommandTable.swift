/// Every command of `freshet`: the parser, `help` and the shell completions are made from this.
enum CommandTable {
    static let all: [CommandSpec] =
        [up, api, worker, scheduler] + operators + [configCheck, keyNew, ready, completion]

    /// Commands that show or change what is in Redis.
    static let operators: [CommandSpec] = [
        refresh, get, status, jobs, job, cancel, dead, queue, purge, top,
    ]

    // MARK: flags that several commands share

    private static let config = FlagSpec(
        name: "config", kind: .file, placeholder: "FILE",
        help: "the configuration; without it freshet.yaml of the working directory",
        environment: "FRESHET_CONFIG")
    private static let redis = FlagSpec.text(
        "redis", "URL", "where Redis is: redis://, unix://, redis+sentinel://, redis+cluster://",
        environment: "FRESHET_REDIS_URL")
    private static let data = FlagSpec(
        name: "data", kind: .directory, placeholder: "DIR",
        help: "data of `freshet up` (.freshet); its Redis is used when no URL is given")
    private static let json = FlagSpec.toggle("json", "print JSON, shaped as the HTTP API's")
    private static let access = [config, redis, data]

    private static let key = OperandSpec(
        name: "KEY", help: "a resource, or one with parameters: events?city=oslo")
    private static let jobID = OperandSpec(name: "ID", help: "the id of a job")

    // MARK: processes

    static let up = CommandSpec(
        name: "up", summary: "run the whole stack on this machine",
        details: [
            "Starts API processes on one port, workers and a scheduler, restarts what dies, and "
                + "prints `ready http://HOST:PORT` once requests are served. Ctrl-C or SIGTERM "
                + "drains everything; a second one ends it at once.",
            "Without a Redis URL from flag, environment or file it starts its own redis-server on "
                + "a unix socket, with its append-only file under DIR, so that payloads and queued "
                + "jobs outlive it.",
        ],
        flags: [
            config,
            .number("port", 0...65535, "listen on this port instead of the file's; 0 picks one"),
            .number("api", 1...64, "API processes (1)"),
            .number("workers", 0...64, "worker processes (1)"),
            redis,
            FlagSpec(
                name: "data", kind: .directory, placeholder: "DIR",
                help: "where its own Redis keeps its data (.freshet)"),
        ],
        examples: [
            .init(call: "freshet up", what: "the stack of ./freshet.yaml"),
            .init(
                call: "freshet up --config Config/demo.yaml --api 2 --workers 4 --port 9000",
                what: "more processes, another port"),
        ])

    static let api = CommandSpec(
        name: "api", summary: "run one API process",
        details: [
            "Several may share a port. It starts and says so when Redis is down, and keeps trying."
        ],
        flags: [
            config,
            .text(
                "listen", "HOST:PORT", "where to listen, instead of the file's",
                environment: "FRESHET_LISTEN"),
            redis,
        ],
        examples: [
            .init(call: "freshet api --config freshet.yaml --listen 127.0.0.1:8080", what: "")
        ]
    )

    static let worker = CommandSpec(
        name: "worker", summary: "run one worker process",
        details: [
            "On SIGTERM it finishes its jobs, for up to `worker.drain_timeout`; what is not done by "
                + "then is handed back and costs no attempt."
        ],
        flags: [
            config, .number("concurrency", 1...1024, "jobs at once, instead of the file's"), redis,
        ],
        examples: [.init(call: "freshet worker --config freshet.yaml --concurrency 8", what: "")])

    static let scheduler = CommandSpec(
        name: "scheduler", summary: "run the staleness monitor and the schedules",
        details: ["Any number may run; one leads, another takes over when it is gone."],
        flags: [config, redis],
        examples: [.init(call: "freshet scheduler --config freshet.yaml", what: "")])

    // MARK: operators

    static let refresh = CommandSpec(
        name: "refresh", summary: "ask for a refresh of a key",
        details: [
            "Exit code 0: asked for, or with --wait succeeded. 1: no such resource, or with --wait "
                + "the refresh failed."
        ],
        operands: [key],
        flags: [
            .toggle("wait", "show position and progress until the refresh has ended"),
            .toggle("force", "when one is running already: run once more after it"),
            .text("scope", "PART", "refresh only this part; may be repeated", repeats: true),
            json,
        ] + access,
        examples: [
            .init(call: "freshet refresh catalog --wait", what: "with a progress bar"),
            .init(call: "freshet refresh 'events?city=oslo' --force", what: ""),
            .init(call: "freshet refresh catalog --scope adduser --scope bash", what: "two parts"),
        ])

    static let get = CommandSpec(
        name: "get", summary: "print the payload that is kept for a key",
        details: ["Reads what is kept and asks for nothing. Exit code 1 when nothing is kept."],
        operands: [key],
        flags: [.toggle("envelope", "JSON with the metadata around it, as the HTTP API")] + access,
        examples: [
            .init(call: "freshet get catalog > catalog.json", what: ""),
            .init(call: "freshet get catalog --envelope", what: ""),
        ])

    static let status = CommandSpec(
        name: "status", summary: "show the state of one key or of all",
        operands: [OperandSpec(name: "KEY", help: key.help, isRequired: false)],
        flags: [json] + access,
        examples: [
            .init(call: "freshet status", what: "every key that has a payload or a job"),
            .init(call: "freshet status catalog --json", what: ""),
        ])

    static let jobs = CommandSpec(
        name: "jobs", summary: "list jobs",
        flags: [
            FlagSpec(
                name: "state", kind: .choices(jobStates), placeholder: "STATE,…",
                help: "only jobs in these states: " + jobStates.joined(separator: ", ")),
            .number("limit", 1...100_000, "at most so many (100)"),
            json,
        ] + access,
        examples: [
            .init(call: "freshet jobs", what: "waiting, running and ended ones"),
            .init(call: "freshet jobs --state queued,running", what: ""),
        ])

    static let job = CommandSpec(
        name: "job", summary: "show one job", operands: [jobID], flags: [json] + access,
        examples: [.init(call: "freshet job 1795226400000000-catalog", what: "")])

    static let cancel = CommandSpec(
        name: "cancel", summary: "end a job: a waiting one is removed, a running one stopped",
        operands: [jobID], flags: [json] + access,
        examples: [.init(call: "freshet cancel 1795226400000000-catalog", what: "")])

    static let dead = CommandSpec(
        name: "dead", summary: "list dead jobs, or give them another try",
        flags: [
            .text("retry", "ID", "a new job for this one; may be repeated", repeats: true),
            .toggle("retry-all", "a new job for each"),
            .number("limit", 1...100_000, "list at most so many (100)"),
            json,
        ] + access,
        exclusive: ["retry", "retry-all"],
        examples: [
            .init(call: "freshet dead", what: "what failed for good, and why"),
            .init(call: "freshet dead --retry-all", what: ""),
        ])

    static let queue = CommandSpec(
        name: "queue", summary: "show the queue and the workers; pause or resume it",
        details: ["While paused no job is claimed; running ones go on, and reads are answered."],
        flags: [.toggle("pause", "claim nothing until resumed"), .toggle("resume", "go on"), json]
            + access,
        exclusive: ["pause", "resume"],
        examples: [.init(call: "freshet queue --pause", what: "before maintenance of a source")])

    static let purge = CommandSpec(
        name: "purge", summary: "remove a key's payload for good and cancel its job",
        operands: [key], flags: access,
        examples: [.init(call: "freshet purge 'events?city=oslo'", what: "")])

    static let top = CommandSpec(
        name: "top", summary: "live view of queue, running jobs, workers and failures",
        details: [
            "Keys: p pauses or resumes the queue, r retries a dead job, c cancels a job, ↑ ↓ select, "
                + "q quits. Without a terminal it prints one view and ends."
        ],
        flags: access,
        examples: [.init(call: "freshet top", what: "")])

    // MARK: tools

    static let configCheck = CommandSpec(
        name: "config check", summary: "check a configuration file",
        details: [
            "Exit code 0 and a summary, or 78 and every error as `file:line:column: message`."
        ],
        operands: [OperandSpec(name: "FILE", help: "the file to check", kind: .file)],
        examples: [.init(call: "freshet config check freshet.yaml", what: "")])

    static let keyNew = CommandSpec(
        name: "key new", summary: "make a secret for a caller of the API",
        details: [
            "Prints the secret, once, and the lines to paste into the configuration, which hold "
                + "only its hash."
        ],
        operands: [OperandSpec(name: "NAME", help: "who it is for; in logs and metrics")],
        flags: [
            FlagSpec(
                name: "scope", kind: .choices(["read", "refresh", "admin"]),
                placeholder: "SCOPE,…", help: "what it may do: read, refresh, admin (read)",
                repeats: true)
        ],
        examples: [.init(call: "freshet key new web --scope read,refresh", what: "")])

    static let ready = CommandSpec(
        name: "ready", summary: "tell whether the process of a role on this machine does its work",
        details: [
            "For health checks of containers. api: /ready answers at the configured address; "
                + "worker: a worker of this host is announced in Redis; scheduler: Redis answers. "
                + "Exit code 0, or 1 with what is missing."
        ],
        operands: [
            OperandSpec(
                name: "ROLE", help: "api (the default), worker or scheduler", isRequired: false,
                kind: .choice(["api", "worker", "scheduler"]))
        ],
        flags: [
            config,
            .text(
                "listen", "HOST:PORT", "where the API listens, instead of the file's",
                environment: "FRESHET_LISTEN"),
            redis,
        ],
        examples: [.init(call: "freshet ready worker", what: "")])

    static let completion = CommandSpec(
        name: "completion", summary: "print a completion script for a shell",
        operands: [
            OperandSpec(
                name: "SHELL", help: "bash, zsh or fish", kind: .choice(["bash", "zsh", "fish"]))
        ],
        examples: [
            .init(call: "source <(freshet completion bash)", what: "in ~/.bashrc"),
            .init(
                call: "freshet completion fish > ~/.config/fish/completions/freshet.fish", what: ""),
        ])

    private static let jobStates = [
        "queued", "running", "retrying", "succeeded", "cancelled", "dead",
    ]
}
