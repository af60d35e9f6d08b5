internal import FreshetModel

/// Without keys everybody who can connect may do everything, so nobody from beyond may connect.
enum ListenCheck {
    /// What is wrong with listening as `api` says, or `nil`.
    static func problem(of api: APISettings) -> String? {
        guard let address = ListenAddress(api.listen) else {
            return "expected HOST:PORT such as `127.0.0.1:8080`"
        }
        guard api.keys.isEmpty, !address.isLoopback else { return nil }
        return "`\(api.listen)` can be reached from beyond this machine, and there are no "
            + "`api.keys`; `freshet key new` makes one"
    }

    static func warn(_ api: APISettings, _ place: Place, _ report: Report) {
        guard let address = ListenAddress(api.listen), !address.isLoopback, !api.keys.isEmpty,
            api.tls == nil
        else { return }
        report.warn(
            place,
            "secrets travel in clear text beyond this machine: set `tls`, or put a proxy with TLS "
                + "in front")
    }
}
