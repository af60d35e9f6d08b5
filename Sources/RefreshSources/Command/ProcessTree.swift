internal import Glibc

/// Who started whom, as /proc tells.
///
/// A command's children may leave its process group, as those of `timeout` and of an interactive
/// shell do; they are found by their ancestry while that lasts.
enum ProcessTree {
    /// A process, told from a later one with the same number by when it started.
    struct Member: Hashable {
        var id: Int32
        var startTime: UInt64
    }

    /// All that descend from `root`, without itself.
    static func descendants(of root: Int32) -> Set<Member> {
        var children: [Int32: [Member]] = [:]
        for entry in snapshot() { children[entry.parent, default: []].append(entry.member) }
        var found: Set<Member> = []
        var queue = [root]
        while let next = queue.popLast() {
            for child in children[next] ?? [] where found.insert(child).inserted {
                queue.append(child.id)
            }
        }
        return found
    }

    /// Those of `members` that still run.
    static func alive(_ members: Set<Member>) -> Set<Member> {
        members.filter { member in
            guard let entry = read(member.id) else { return false }
            return entry.member == member && entry.state != UInt8(ascii: "Z")
        }
    }

    /// Whether anything in the process group of `leader` runs. A finished process that nobody has
    /// waited for still counts for the kernel, and in a container nobody may ever do so.
    static func isGroupAlive(_ leader: Int32) -> Bool {
        guard kill(-leader, 0) == 0 else { return false }
        return snapshot().contains { $0.group == leader && $0.state != UInt8(ascii: "Z") }
    }

    private struct Entry {
        var member: Member
        var parent: Int32
        var group: Int32
        var state: UInt8
    }

    private static func snapshot() -> [Entry] {
        guard let directory = unsafe opendir("/proc") else { return [] }
        defer { unsafe closedir(directory) }
        var entries: [Entry] = []
        while let item = unsafe readdir(directory) {
            let name = unsafe withUnsafeBytes(of: item.pointee.d_name) { buffer in
                unsafe String(decoding: buffer.prefix { $0 != 0 }, as: UTF8.self)
            }
            if let id = Int32(name), let entry = read(id) { entries.append(entry) }
        }
        return entries
    }

    /// Reads `/proc/ID/stat`: `id (name) state parent group …`, the start time being field 22. The name
    /// may hold anything, so fields are counted from its last parenthesis.
    private static func read(_ id: Int32) -> Entry? {
        guard let file = unsafe Descriptor(open("/proc/\(id)/stat", O_RDONLY | O_CLOEXEC)) else {
            return nil
        }
        var buffer = ReadBuffer(capacity: 1024)
        let count = buffer.fill(from: file.number)
        guard count > 0 else { return nil }
        let text = buffer.bytes[..<count]
        guard let end = text.lastIndex(of: UInt8(ascii: ")")) else { return nil }
        let fields = text[(end + 1)...].split(separator: UInt8(ascii: " "))
        guard fields.count > 19, let state = fields[0].first,
            let parent = Int32(String(decoding: fields[1], as: UTF8.self)),
            let group = Int32(String(decoding: fields[2], as: UTF8.self)),
            let startTime = UInt64(String(decoding: fields[19], as: UTF8.self))
        else { return nil }
        return Entry(
            member: Member(id: id, startTime: startTime), parent: parent, group: group,
            state: state)
    }
}
