/// How the payload of a resource is produced, as the configuration says it. `{name}` in a template
/// stands for a parameter. RefreshSources turns a definition into a running source.
public enum SourceDefinition: Hashable, Sendable {
    /// A request to an HTTP server.
    case http(HTTPSource)
    /// A program run without a shell.
    case command(CommandSource)
    /// A tree of files.
    case directory(DirectorySource)
    /// A query to PostgreSQL.
    case postgres(PostgresSource)
    /// A CSV file, local or by URL.
    case csv(CSVSource)

    /// `http command directory postgres csv`.
    public var kind: String {
        switch self {
        case .http: "http"
        case .command: "command"
        case .directory: "directory"
        case .postgres: "postgres"
        case .csv: "csv"
        }
    }
}

/// `http`: a request to an HTTP server.
public struct HTTPSource: Hashable, Sendable {
    /// URL template; parameters are percent-encoded into it. `http` or `https`.
    public var url: String
    /// The request method. Default: `GET`.
    public var method = "GET"
    /// Header fields; values may hold parameters.
    public var headers: [String: String] = [:]
    /// Body template; parameters are escaped for JSON or a form by its `Content-Type`.
    public var body: String?
    /// JSON pointer (RFC 6901) to the part that becomes the payload.
    public var select: String?
    /// For the whole request. Default: 30 s.
    public var timeout: Duration = .seconds(30)
    /// For name look-up, connect and TLS. Default: 5 s.
    public var connectTimeout: Duration = .seconds(5)
    /// After decompression; past it the job fails. Default: 100 MiB.
    public var maximumBytes = 100 << 20
    /// Redirects followed. Default: 5.
    public var maximumRedirects = 5
    /// Whether redirects may lead to private addresses of other hosts. Default: no.
    public var allowsPrivate = false

    /// A GET of `url`.
    public init(url: String) { self.url = url }
}

/// `command`: a program run without a shell; contract section 6.
public struct CommandSource: Hashable, Sendable {
    /// Program and arguments; arguments may hold parameters.
    public var argv: [String]
    /// Additions to the clean environment.
    public var environment: [String: String] = [:]
    /// Where it runs; `nil`: where the worker runs.
    public var workingDirectory: String?
    /// Media type of standard output. Default: `application/json`, checked to be JSON.
    public var contentType = "application/json"
    /// Of standard output; past it the job fails. Default: 100 MiB.
    public var maximumBytes = 100 << 20

    /// A run of `argv`.
    public init(argv: [String]) { self.argv = argv }
}

/// `directory`: a tree of files as a JSON array.
public struct DirectorySource: Hashable, Sendable {
    /// What the array holds.
    public enum Collections: String, Sendable, CaseIterable {
        /// Files.
        case none
        /// One collection per top-level directory with all below it, root files under `.`.
        case subdirectory
    }

    /// The directory; nothing outside it is read.
    public var root: String
    /// Globs of files to take, relative to the root. Default: all.
    public var include = ["**/*"]
    /// Globs of files to leave out.
    public var exclude: [String] = []
    /// What the array holds. Default: files.
    public var collections = Collections.none
    /// Whether each file has its SHA-256. Default: no.
    public var hashesSHA256 = false
    /// Whether a changed file queues a refresh. Default: no.
    public var watch = false
    /// Past it the job fails. Default: 1,000,000.
    public var maximumFiles = 1_000_000

    /// All files below `root`.
    public init(root: String) { self.root = root }
}

/// `postgres`: the rows of a query as JSON objects.
public struct PostgresSource: Hashable, Sendable {
    /// libpq connection URL.
    public var url: String
    /// SQL with `$1…`.
    public var query: String
    /// Values of `$1…`; each may hold parameters of the key.
    public var parameters: [String] = []
    /// Past it the job fails. Default: 1,000,000.
    public var maximumRows = 1_000_000

    /// The rows of `query`.
    public init(url: String, query: String) {
        self.url = url
        self.query = query
    }
}

/// `csv`: the records of a CSV file as JSON objects; the first row names the fields.
public struct CSVSource: Hashable, Sendable {
    /// How fields become JSON values.
    public enum Types: String, Sendable, CaseIterable {
        /// Numbers without leading zeros, `true`, `false`, empty as null, else text.
        case infer
        /// All text.
        case text
    }

    /// Path of a local file; `nil` when `url` is set.
    public var file: String?
    /// URL of a remote file; `nil` when `file` is set.
    public var url: String?
    /// One byte between fields. Default: comma.
    public var delimiter: Character = ","
    /// How fields become JSON values. Default: infer.
    public var types = Types.infer

    /// A CSV source; set `file` or `url`.
    public init() {}
}
