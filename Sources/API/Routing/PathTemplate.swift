internal import FreshetModel

/// An alias such as `/api/events/{city}`.
struct PathTemplate {
    private enum Segment {
        case literal(String)
        case parameter(String)
    }

    private let segments: [Segment]
    /// The resource it leads to.
    let resource: ResourceName

    /// Reads a checked `path` of the configuration.
    init(_ path: String, resource: ResourceName) {
        self.resource = resource
        segments = path.split(separator: "/", omittingEmptySubsequences: false).dropFirst().map {
            $0.hasPrefix("{") && $0.hasSuffix("}")
                ? .parameter(String($0.dropFirst().dropLast())) : .literal(String($0))
        }
    }

    /// How many segments are literal: of two templates that match, the more literal one counts.
    var literalCount: Int {
        segments.count {
            if case .literal = $0 { true } else { false }
        }
    }

    /// The values of the `{name}` segments when the template matches decoded `path` segments.
    func match(_ path: [String]) -> [Key.Parameter]? {
        guard path.count == segments.count else { return nil }
        var parameters: [Key.Parameter] = []
        for (segment, text) in zip(segments, path) {
            switch segment {
            case .literal(let literal): guard literal == text else { return nil }
            case .parameter(let name):
                guard !text.isEmpty else { return nil }
                parameters.append(Key.Parameter(name: name, value: text))
            }
        }
        return parameters
    }
}
