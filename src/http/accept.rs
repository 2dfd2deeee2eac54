//! What a client accepts (RFC 9110, section 12.5.1) and what it gets: one of the two media types of GraphQL over HTTP, a
//! stream, or the GraphiQL page.

use axum::http::HeaderMap;
use axum::http::header::ACCEPT;

/// What an answer is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MediaType {
    /// `application/graphql-response+json`
    GraphqlResponse,
    /// `application/json`
    Json,
    /// `text/html`
    Html,
    /// `text/event-stream`
    EventStream,
    /// `multipart/mixed`
    Multipart,
}

/// What GraphQL is answered as.
pub(super) const OF_GRAPHQL: [MediaType; 2] = [MediaType::Json, MediaType::GraphqlResponse];
/// What streams are answered as.
pub(super) const OF_STREAMS: [MediaType; 2] = [MediaType::EventStream, MediaType::Multipart];

impl MediaType {
    /// Type and subtype.
    fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::GraphqlResponse => ("application", "graphql-response+json"),
            Self::Json => ("application", "json"),
            Self::Html => ("text", "html"),
            Self::EventStream => ("text", "event-stream"),
            Self::Multipart => ("multipart", "mixed"),
        }
    }

    /// The Content-Type of an answer.
    pub(super) fn content_type(self) -> &'static str {
        match self {
            Self::GraphqlResponse => "application/graphql-response+json; charset=utf-8",
            Self::Json => "application/json; charset=utf-8",
            Self::Html => "text/html; charset=utf-8",
            Self::EventStream => "text/event-stream; charset=utf-8",
            Self::Multipart => "multipart/mixed; boundary=\"graphql\"; subscriptionSpec=\"1.0\"",
        }
    }
}

/// One range of an Accept header.
struct Range<'h> {
    kind: &'h str,
    subtype: &'h str,
    /// In thousandths.
    weight: u16,
    takes_utf8: bool,
}

/// Which of `offered` the client prefers; none if it accepts none of them. Between equals the more exact range decides,
/// then the order in which the client names them. A client that says nothing, or accepts anything, gets the first offered.
pub(super) fn negotiate(headers: &HeaderMap, offered: &[MediaType]) -> Option<MediaType> {
    let ranges = ranges(headers);
    if ranges.is_empty() {
        return offered.first().copied();
    }
    best(&ranges, offered)
}

/// The same for types that a client only gets by naming them.
pub(super) fn negotiate_named(headers: &HeaderMap, offered: &[MediaType]) -> Option<MediaType> {
    let mut ranges = ranges(headers);
    ranges.retain(|range| range.kind != "*" && range.subtype != "*");
    best(&ranges, offered)
}

fn ranges(headers: &HeaderMap) -> Vec<Range<'_>> {
    let values = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| split(value, ',')).filter_map(Range::parse).collect()
}

fn best(ranges: &[Range<'_>], offered: &[MediaType]) -> Option<MediaType> {
    let rated = offered.iter().enumerate().filter_map(|(nth, media)| {
        // The most exact range that fits says what the client thinks of this type.
        let fitting = ranges.iter().enumerate().filter_map(|(at, range)| Some((range.fit(*media)?, at, range)));
        let (fit, at, range) = fitting.max_by_key(|(fit, at, _)| (*fit, usize::MAX - at))?;
        (range.weight > 0).then_some(((range.weight, fit, usize::MAX - at, usize::MAX - nth), *media))
    });
    rated.max_by_key(|(rating, _)| *rating).map(|(_, media)| media)
}

impl<'h> Range<'h> {
    fn parse(text: &'h str) -> Option<Self> {
        let mut parts = split(text, ';');
        let (kind, subtype) = parts.next()?.trim().split_once('/')?;
        let (mut weight, mut takes_utf8) = (1_000, true);
        for part in parts {
            let Some((name, value)) = part.split_once('=') else { continue };
            let (name, value) = (name.trim(), value.trim().trim_matches('"'));
            if name.eq_ignore_ascii_case("q") {
                weight = thousandths(value)?;
            } else if name.eq_ignore_ascii_case("charset") {
                takes_utf8 = value.eq_ignore_ascii_case("utf-8") || value.eq_ignore_ascii_case("utf8");
            }
        }
        Some(Self { kind, subtype, weight, takes_utf8 })
    }

    /// How exactly the range names a type: 2 for the type itself, 0 for anything.
    fn fit(&self, media: MediaType) -> Option<u8> {
        let (kind, subtype) = media.names();
        let exactness = if self.kind == "*" && self.subtype == "*" {
            0
        } else if !self.kind.eq_ignore_ascii_case(kind) {
            return None;
        } else if self.subtype == "*" {
            1
        } else if self.subtype.eq_ignore_ascii_case(subtype) {
            2
        } else {
            return None;
        };
        self.takes_utf8.then_some(exactness)
    }
}

/// A weight of 0 to 1 with at most three digits after the point.
fn thousandths(text: &str) -> Option<u16> {
    let weight: f32 = text.parse().ok()?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 1,000")]
    (0.0..=1.0).contains(&weight).then_some((weight * 1_000.0).round() as u16)
}

/// The parts between separators that do not stand in quotes.
fn split(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let mut is_quoted = false;
    text.split(move |c| {
        is_quoted ^= c == '"';
        c == separator && !is_quoted
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOTH: [MediaType; 2] = [MediaType::Json, MediaType::GraphqlResponse];
    const PAGE_TOO: [MediaType; 3] = [MediaType::Json, MediaType::GraphqlResponse, MediaType::Html];

    fn chosen(accept: &str, offered: &[MediaType]) -> Option<MediaType> {
        let mut headers = HeaderMap::new();
        headers.append(ACCEPT, accept.parse().expect("a header value"));
        negotiate(&headers, offered)
    }

    #[test]
    fn who_does_not_say_gets_json() {
        assert_eq!(negotiate(&HeaderMap::new(), &BOTH), Some(MediaType::Json));
        for accept in ["", "*/*", "application/*", "application/json", "*/*;q=0.1"] {
            assert_eq!(chosen(accept, &BOTH), Some(MediaType::Json), "{accept}");
        }
    }

    #[test]
    fn weights_decide_then_exactness_then_order() {
        for accept in [
            "application/graphql-response+json",
            "application/graphql-response+json, application/json;q=0.9",
            "application/json;q=0.9, APPLICATION/GraphQL-Response+JSON",
            "application/graphql-response+json, application/json",
            "application/graphql-response+json; charset=utf-8, application/json; charset=utf-8",
            "application/graphql-response+json, */*",
            "application/json;q=0, */*;q=0.5",
            "text/plain, application/graphql-response+json;profile=\"a,b;q=0\"",
        ] {
            assert_eq!(chosen(accept, &BOTH), Some(MediaType::GraphqlResponse), "{accept}");
        }
        for accept in
            ["application/json, application/graphql-response+json", "*/*, application/graphql-response+json;q=0.2"]
        {
            assert_eq!(chosen(accept, &BOTH), Some(MediaType::Json), "{accept}");
        }
    }

    #[test]
    fn what_nobody_offers_is_not_acceptable() {
        for accept in ["text/plain", "application/json;q=0", "application/json; charset=iso-8859-1", "image/*, text/*"]
        {
            assert_eq!(chosen(accept, &BOTH), None, "{accept}");
        }
    }

    #[test]
    fn a_browser_gets_the_page_and_a_program_does_not() {
        let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8";
        assert_eq!(chosen(browser, &PAGE_TOO), Some(MediaType::Html));
        assert_eq!(chosen(browser, &BOTH), Some(MediaType::Json));
        assert_eq!(chosen("*/*", &PAGE_TOO), Some(MediaType::Json));
    }
}
