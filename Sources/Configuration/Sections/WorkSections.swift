internal import FreshetModel

/// `worker:`
enum WorkerSection {
    static func read(_ node: Node, _ report: Report) -> WorkerSettings {
        let fields = Fields(node, of: "`worker`", known: FieldNames.worker, report)
        var worker = WorkerSettings()
        fields.read("concurrency", into: &worker.concurrency, Values.integer(1...1024))
        fields.read(
            "drain_timeout", into: &worker.drainTimeout, Values.duration(.zero ... .seconds(86_400))
        )
        return worker
    }
}

/// `refresh:`
struct RefreshSection {
    var settings = RefreshSettings()
    /// What holds for resources that say nothing of their own.
    var retry = RetryLayer()

    init(_ node: Node, _ report: Report) {
        let fields = Fields(node, of: "`refresh`", known: FieldNames.refresh, report)
        let day = Duration.seconds(86_400)
        fields.read(
            "check_interval", into: &settings.checkInterval,
            Values.duration(.milliseconds(100)...day))
        fields.read(
            "max_concurrent", intoOptional: &settings.maximumConcurrent,
            Values.integer(1...1_000_000))
        fields.read("max_queue", into: &settings.maximumQueue, Values.integer(1...1_000_000_000))
        fields.read("batch_size", into: &settings.batchSize, Values.integer(1...100_000))
        fields.read(
            "keep_jobs", into: &settings.keepJobs, Values.duration(.seconds(1)...day * 366))
        fields.read("active_window", into: &settings.activeWindow, Values.duration(.any))
        retry.maximum = fields.read("max_retries", RetryLayer.counts)
        retry.interval = fields.read("retry_interval", RetryLayer.intervals)
    }

    init() {}
}
