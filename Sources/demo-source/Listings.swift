internal import Runtime

/// Listings as a scraper of other people's pages finds them; each scrape finds something new.
enum Listings {
    /// How long the scrape of a page takes; `nil` for a path that is none of them.
    static func delay(_ path: String) -> Duration? {
        switch path {
        case "/cinema": .seconds(3)
        case "/events": .seconds(4)
        case "/google_trend": .seconds(5)
        default: nil
        }
    }

    /// - Parameter scrape: How many times the page has been scraped, this time included.
    static func json(_ path: String, scrape: Int) -> String {
        let titles =
            switch path {
            case "/cinema": ["The Long Thaw", "Melt", "A River in April"]
            case "/events": ["Spring market", "Harbour concert", "Open archive"]
            default: ["snow", "flood", "freshet"]
            }
        let items = titles.map { #"{"title": "\#($0)", "scrape": \#(scrape)}"# }
        return "[" + items.joined(separator: ", ") + "]\n"
    }
}
