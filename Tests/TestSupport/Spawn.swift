internal import Glibc

/// The three standard streams of a child, as pipes that no other child inherits.
struct Pipes: Sendable {
    struct Pipe: Sendable {
        let read: Int32
        let write: Int32
    }

    let input: Pipe
    let output: Pipe
    let error: Pipe

    init() throws {
        input = try Self.open()
        output = try Self.open()
        error = try Self.open()
    }

    private static func open() throws -> Pipe {
        var ends: [Int32] = [-1, -1]
        guard unsafe pipe(&ends) == 0 else { throw SystemFailure("pipe") }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        return Pipe(read: ends[0], write: ends[1])
    }

    func closeChildEnds() {
        close(input.read)
        close(output.write)
        close(error.write)
    }
}

enum Spawn {
    /// Starts a program with default signal handling.
    static func run(
        _ arguments: [String], _ environment: [String: String], _ pipes: Pipes
    ) throws -> Int32 {
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        unsafe posix_spawn_file_actions_adddup2(&actions, pipes.input.read, 0)
        unsafe posix_spawn_file_actions_adddup2(&actions, pipes.output.write, 1)
        unsafe posix_spawn_file_actions_adddup2(&actions, pipes.error.write, 2)

        var attributes = posix_spawnattr_t()
        unsafe posix_spawnattr_init(&attributes)
        defer { unsafe posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        unsafe sigemptyset(&none)
        var all = sigset_t()
        unsafe sigfillset(&all)
        unsafe posix_spawnattr_setsigmask(&attributes, &none)
        unsafe posix_spawnattr_setsigdefault(&attributes, &all)
        unsafe posix_spawnattr_setflags(
            &attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))

        var pid: pid_t = 0
        let status = unsafe withCStrings(arguments) { words in
            unsafe withCStrings(variables(environment)) { variables in
                unsafe posix_spawnp(&pid, arguments[0], &actions, &attributes, words, variables)
            }
        }
        guard status == 0 else { throw SystemFailure("spawn \(arguments)", number: status) }
        return pid
    }

    private static func variables(_ added: [String: String]) -> [String] {
        var list: [String] = []
        var next = unsafe environ
        while let entry = unsafe next.pointee {
            let text = unsafe String(cString: entry)
            let name = text.prefix { $0 != "=" }
            if added[String(name)] == nil { list.append(text) }
            unsafe next += 1
        }
        return list + added.map { "\($0.key)=\($0.value)" }
    }

    private static func withCStrings<Result>(
        _ strings: [String],
        _ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Result
    ) -> Result {
        let copies = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>.allocate(
            capacity: strings.count + 1)
        for (index, string) in strings.enumerated() { unsafe copies[index] = strdup(string) }
        unsafe copies[strings.count] = nil
        defer {
            for index in strings.indices { unsafe free(copies[index]) }
            unsafe copies.deallocate()
        }
        return unsafe body(copies)
    }
}
