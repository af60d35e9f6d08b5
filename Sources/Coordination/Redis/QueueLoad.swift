internal import FreshetModel

/// What a reply's first values tell about a partition: the basis of every estimate.
struct QueueLoad {
    /// Values it takes in a reply.
    static let width = 5

    var now: Timestamp
    var waiting: Int
    var running: Int
    var capacity: Int
    var average: Duration?
    /// `nil` where there is only one.
    var partition: Int?

    /// Reads {now, waiting, leased, capacity, overall average or -1}.
    init(_ reply: Reply, partition: Int? = nil) throws(RefreshError) {
        self.partition = partition
        now = try reply.time(0)
        waiting = try reply.int(1)
        running = try reply.int(2)
        capacity = try reply.int(3)
        average = try reply.average(4)
    }

    /// Reads {now, waiting, leased}; the rest is what was known a moment ago.
    init(
        _ reply: Reply, _ averages: RunAverages, partition: Int?
    ) throws(RefreshError) {
        self.partition = partition
        now = try reply.time(0)
        waiting = try reply.int(1)
        running = try reply.int(2)
        capacity = averages.capacity
        average = averages.overall
    }

    /// Fills in a live job's position and time left.
    ///
    /// - Parameters:
    ///   - rank: Its rank in the waiting set, below zero when it does not wait.
    ///   - average: The average run time of its resource.
    func place(_ job: inout Job, rank: Int, average own: Duration?) {
        job.queueDepth = waiting
        job.partition = partition
        if job.state == .running {
            job.position = 0
            job.ahead = 0
        } else if rank >= 0 {
            job.position = rank + 1
            job.ahead = rank
        }
        job.estimatedRemaining = Estimate.remaining(
            of: job, now: now, running: running, capacity: capacity, average: own,
            overall: average)
    }

    /// Fills in a rerun's time left, which begins when the running job ends.
    func place(_ rerun: inout Job, after running: Job, average own: Duration?) {
        var running = running
        place(&running, rank: -1, average: own)
        rerun.queueDepth = waiting
        rerun.partition = partition
        rerun.estimatedRemaining = Estimate.remaining(
            ofRerunAfter: running, average: own, overall: average)
    }
}

/// Run times and capacity of a partition, which change slowly: a store asks for them once a second,
/// so that scripts need not read them for every new job.
struct RunAverages: Sendable {
    /// Capacity of the live workers.
    var capacity = 0
    /// Over all resources.
    var overall: Duration?
    /// By resource name.
    var resources: [String: Duration] = [:]
    /// When they were read, in nanoseconds of the monotonic clock.
    var readAt: UInt64 = 0
}
