internal import CMicrohttpd
internal import Runtime

/// What libmicrohttpd calls. Each finds the object it was registered with and passes on.
enum Callbacks {
    static func install(in settings: inout freshet_mhd_settings) {
        unsafe settings.access = access
        unsafe settings.target = target
        unsafe settings.unescape = unescape
        unsafe settings.completed = completed
        unsafe settings.connection = connection
        unsafe settings.log = log
    }

    /// What a context points to is kept alive by who registered it, for longer than any call: counting
    /// a reference more and less for each would only cost time.
    private static func with<Object: AnyObject, Value>(
        _ context: UnsafeMutableRawPointer?, as type: Object.Type, else fallback: Value,
        _ body: (Object) -> Value
    ) -> Value {
        guard let context = unsafe context else { return fallback }
        return unsafe Unmanaged<Object>.fromOpaque(context)._withUnsafeGuaranteedRef(body)
    }

    /// A connection was opened, or is closed; its socket is open in both cases.
    private static let connection: MHD_NotifyConnectionCallback = { context, handle, slot, event in
        guard let slot = unsafe slot else { return }
        if event == .CONNECTION_NOTIFY_STARTED {
            guard let handle = unsafe handle else { return }
            let made = unsafe with(context, as: ServerCore.self, else: nil) { core -> Connection? in
                unsafe core.opened(handle)
            }
            unsafe slot.pointee = made.map { unsafe Unmanaged.passRetained($0).toOpaque() }
        } else {
            guard let context = unsafe slot.pointee else { return }
            let connection = unsafe Unmanaged<Connection>.fromOpaque(context).takeRetainedValue()
            connection.core.closed(connection)
            unsafe slot.pointee = nil
        }
    }

    /// A request line was read. What is returned comes back as the context of the request.
    private static let target: freshet_mhd_target = { _, target, handle in
        let slot = unsafe freshet_mhd_socket_context(handle)
        guard let target = unsafe target else { return nil }
        let text = unsafe String(cString: target)
        let start = UInt(bitPattern: target)
        let place = start..<(start + UInt(unsafe strlen(target)))
        // libmicrohttpd takes blanks within a target, and a proxy before us may take them otherwise.
        let hasBlank = unsafe strpbrk(target, " \t\r\u{b}\u{c}\u{7f}") != nil
        unsafe with(slot, as: Connection.self, else: ()) { connection in
            connection.core.targetRead(connection, text, at: place, hasBlank: hasBlank)
        }
        // libmicrohttpd would make a record of each `name=value` now, out of the memory for the
        // header. It still owns the line it shows us, and has found the `?` already: without text
        // behind that there is nothing to record.
        if let mark = unsafe strchr(target, 0x3f) { unsafe mark[1] = 0 }
        return unsafe slot
    }

    /// Percent-decoding is ours.
    private static let unescape: freshet_mhd_unescape = { _, _, text in
        guard let text = unsafe text else { return 0 }
        return unsafe strlen(text)
    }

    /// Called when the header is complete, for each part of a body, at the end of the body, and again
    /// after a suspension.
    private static let access: MHD_AccessHandlerCallback = {
        _, _, _, method, version, upload, uploadSize, slot in
        guard let slot = unsafe slot else { return .NO }
        return unsafe with(slot.pointee, as: Connection.self, else: .NO) { connection in
            switch connection.phase {
            case .head:
                guard let method = unsafe method, let version = unsafe version else { return .NO }
                return unsafe connection.core.headComplete(connection, method, version: version)
            case .body:
                guard let uploadSize = unsafe uploadSize else { return .NO }
                let count = unsafe uploadSize.pointee
                guard count > 0, let upload = unsafe upload else {
                    return connection.core.requestComplete(connection)
                }
                unsafe uploadSize.pointee = 0
                return unsafe upload.withMemoryRebound(to: UInt8.self, capacity: count) { bytes in
                    unsafe connection.core.bodyArrived(
                        connection, UnsafeBufferPointer(start: bytes, count: count))
                }
            case .suspended:
                return connection.core.resumed(connection)
            case .idle, .handling, .responding, .over:
                return .NO
            }
        }
    }

    /// A request is over: answered and sent, or given up.
    private static let completed: MHD_RequestCompletedCallback = { _, _, slot, _ in
        guard let slot = unsafe slot else { return }
        unsafe with(slot.pointee, as: Connection.self, else: ()) { $0.core.requestOver($0) }
    }

    /// libmicrohttpd has something to say; most of it is about clients that went.
    private static let log: MHD_LogCallback = { context, format, arguments in
        guard let format = unsafe format, let arguments = unsafe arguments else { return }
        var buffer = [CChar](repeating: 0, count: 512)
        let length = unsafe vsnprintf(&buffer, buffer.count, format, arguments)
        guard length > 0 else { return }
        let text = buffer.prefix(min(Int(length), buffer.count - 1)).map { UInt8(bitPattern: $0) }
        unsafe with(context, as: ServerCore.self, else: ()) { core in
            core.libraryLogged(String(decoding: text, as: UTF8.self))
        }
    }
}

extension HTTPMethod {
    /// The two that matter for speed without making a string.
    init(cString: UnsafePointer<CChar>) {
        if unsafe strcmp(cString, "GET") == 0 {
            self = .get
        } else if unsafe strcmp(cString, "HEAD") == 0 {
            self = .head
        } else {
            self.init(unsafe String(cString: cString))
        }
    }
}
