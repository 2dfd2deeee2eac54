//! Who may call from a browser (Fetch standard, CORS protocol).

use std::time::Duration;

use axum::http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderName, HeaderValue, Method, Uri};
use tower_http::cors::{AllowHeaders, AllowOrigin, CorsLayer};

use crate::config::Origin;

/// How long a browser may remember a preflight's answer.
const MAX_AGE: Duration = Duration::from_hours(2);

/// The answers that browsers look for. Tokens come in a header, so there are no credentials to allow.
pub(super) fn layer(origins: &[Origin], is_development: bool) -> CorsLayer {
    let origins = origins.to_vec();
    CorsLayer::new()
        .allow_origin(AllowOrigin::predicate(move |origin, _| is_allowed(origin, &origins, is_development)))
        .allow_methods([Method::GET, Method::POST])
        .allow_headers(AllowHeaders::mirror_request())
        .expose_headers([RETRY_AFTER, WWW_AUTHENTICATE, HeaderName::from_static("x-request-id")])
        .max_age(MAX_AGE)
}

/// Whether pages of an origin may call: those that are listed, and in development mode those of this machine.
pub(super) fn is_allowed(origin: &HeaderValue, listed: &[Origin], is_development: bool) -> bool {
    origin.to_str().is_ok_and(|origin| is_origin_allowed(origin, listed, is_development))
}

/// The same for a text.
pub(super) fn is_origin_allowed(origin: &str, listed: &[Origin], is_development: bool) -> bool {
    listed.iter().any(|allowed| allowed.matches(origin)) || (is_development && is_local(origin))
}

/// Whether an origin is a page of this machine.
fn is_local(origin: &str) -> bool {
    let uri: Option<Uri> = origin.parse().ok();
    let host = uri.as_ref().and_then(|uri| uri.authority());
    host.is_some_and(|authority| is_local_host(authority.as_str()))
}

/// Whether `host`, with a port or without one, names this machine.
pub(super) fn is_local_host(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|digit| digit.is_ascii_digit()) && !host.ends_with(']') => name,
        _ => host,
    };
    ["localhost", "127.0.0.1", "[::1]"].iter().any(|local| name.eq_ignore_ascii_case(local))
}
