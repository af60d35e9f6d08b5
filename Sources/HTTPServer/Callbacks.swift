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

    private static func core(_ context: UnsafeMutableRawPointer?) -> ServerCore? {
        guard let context = unsafe context else { return nil }
        return unsafe Unmanaged<ServerCore>.fromOpaque(context).takeUnretainedValue()
    }

    private static func connection(_ context: UnsafeMutableRawPointer?) -> Connection? {
        guard let context = unsafe context else { return nil }
        return unsafe Unmanaged<Connection>.fromOpaque(context).takeUnretainedValue()
    }

    /// A connection was opened, or is closed; its socket is open in both cases.
    private static let connection: MHD_NotifyConnectionCallback = { context, handle, slot, event in
        guard let core = unsafe core(context), let slot = unsafe slot else { return }
        if event == .CONNECTION_NOTIFY_STARTED {
            guard let handle = unsafe handle else { return }
            let made = unsafe core.opened(handle)
            unsafe slot.pointee = Unmanaged.passRetained(made).toOpaque()
        } else {
            guard let context = unsafe slot.pointee else { return }
            let known = unsafe Unmanaged<Connection>.fromOpaque(context)
            unsafe core.closed(known.takeUnretainedValue())
            unsafe known.release()
            unsafe slot.pointee = nil
        }
    }

    /// A request line was read. What is returned comes back as the context of the request.
    private static let target: freshet_mhd_target = { context, target, handle in
        guard let core = unsafe core(context),
            let slot = unsafe freshet_mhd_socket_context(handle),
            let connection = unsafe connection(slot)
        else { return nil }
        guard let target = unsafe target else { return nil }
        core.targetRead(connection, unsafe String(cString: target))
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
        context, _, _, method, version, upload, uploadSize, slot in
        guard let core = unsafe core(context), let slot = unsafe slot,
            let connection = unsafe connection(slot.pointee)
        else { return .NO }
        switch connection.phase {
        case .head:
            guard let method = unsafe method, let version = unsafe version else { return .NO }
            let isVersion10 = unsafe strcmp(version, "HTTP/1.0") == 0
            return core.headComplete(
                connection, unsafe HTTPMethod(cString: method), isVersion10: isVersion10)
        case .body:
            guard let uploadSize = unsafe uploadSize else { return .NO }
            let count = unsafe uploadSize.pointee
            guard count > 0, let upload = unsafe upload else {
                return core.requestComplete(connection)
            }
            unsafe uploadSize.pointee = 0
            return unsafe upload.withMemoryRebound(to: UInt8.self, capacity: count) { bytes in
                unsafe core.bodyArrived(
                    connection, UnsafeBufferPointer(start: bytes, count: count))
            }
        case .suspended:
            return core.resumed(connection)
        case .idle, .handling, .responding, .over:
            return .NO
        }
    }

    /// A request is over: answered and sent, or given up.
    private static let completed: MHD_RequestCompletedCallback = { context, _, slot, _ in
        guard let core = unsafe core(context), let slot = unsafe slot,
            let connection = unsafe connection(slot.pointee)
        else { return }
        core.requestOver(connection)
    }

    /// libmicrohttpd has something to say; most of it is about clients that went.
    private static let log: MHD_LogCallback = { context, format, arguments in
        guard let core = unsafe core(context), let format = unsafe format,
            let arguments = unsafe arguments
        else { return }
        var buffer = [CChar](repeating: 0, count: 512)
        let length = unsafe vsnprintf(&buffer, buffer.count, format, arguments)
        guard length > 0 else { return }
        let text = buffer.prefix(min(Int(length), buffer.count - 1)).map { UInt8(bitPattern: $0) }
        core.libraryLogged(String(decoding: text, as: UTF8.self))
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
