//! Development mode serves this machine and nobody else. What comes through a proxy, by a name that somebody else may
//! have pointed here (DNS rebinding), or from a page of somebody else's, is refused.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{FORWARDED, HOST, ORIGIN, REFERER, VIA};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, Version};
use axum::middleware::Next;
use axum::response::Response;

use super::{answer, cors};
use crate::config::Origin;
use crate::graphql::{Code, coded};

/// Lets through what was sent to this machine by its own names, without a proxy, and by no page but those of this
/// machine and of the origins that are listed.
pub(super) async fn admit(State(listed): State<Arc<[Origin]>>, request: Request, next: Next) -> Response {
    let Some(reason) = reason_against(&request, &listed) else { return next.run(request).await };
    let (parts, body) = request.into_parts();
    super::body::discard(&parts.headers, body, super::Timeouts::default().discard);
    answer::refuse(coded(Code::Forbidden, reason, None))
}

/// The same for preflights, which never come as far as [`admit`].
pub(super) async fn admit_preflight(listed: State<Arc<[Origin]>>, request: Request, next: Next) -> Response {
    if request.method() == Method::OPTIONS { admit(listed, request, next).await } else { next.run(request).await }
}

fn reason_against(request: &Request, listed: &[Origin]) -> Option<&'static str> {
    let headers = request.headers();
    let names = headers.get_all(HOST).iter().map(|host| host.to_str().unwrap_or_default());
    let names: Vec<&str> = names.chain(request.uri().authority().map(Authority::as_str)).collect();
    if names.is_empty() || !names.into_iter().all(cors::is_local_host) {
        return Some(
            "Development mode answers to localhost, 127.0.0.1 and [::1] only. Set TASKQL_JWT_SECRET to serve other names.",
        );
    }
    // HTTP/1.0 is what nginx speaks to servers behind it, where nobody tells it otherwise.
    if request.version() < Version::HTTP_11 || headers.keys().any(is_of_proxy) {
        return Some("Development mode does not answer through a proxy. Set TASKQL_JWT_SECRET to serve behind one.");
    }
    is_from_foreign_page(headers, listed).then_some(
        "Development mode answers to pages of this machine only. Set TASKQL_CORS_ORIGINS to the page's origin.",
    )
}

/// Whether a header is one that proxies add.
fn is_of_proxy(name: &HeaderName) -> bool {
    [FORWARDED, VIA].contains(name) || name == "x-real-ip" || name.as_str().starts_with("x-forwarded")
}

/// Whether a page of another origin made the browser send this. Where the page cannot be told, the browser tells at
/// least whether it is one of this site (Fetch Metadata, section 2.4): `localhost` and `127.0.0.1` are two sites, so that
/// counts only where there is neither Origin nor Referer.
fn is_from_foreign_page(headers: &HeaderMap, listed: &[Origin]) -> bool {
    let is_allowed =
        |origin: Option<String>| origin.is_some_and(|origin| cors::is_origin_allowed(&origin, listed, true));
    let text = |value: &HeaderValue| value.to_str().ok().map(str::to_owned);
    let origins = headers.get_all(ORIGIN).iter().map(text);
    let referers = headers.get_all(REFERER).iter().map(|value| origin_of(text(value)?.as_str()));
    let pages: Vec<bool> = origins.chain(referers).map(is_allowed).collect();
    if pages.is_empty() {
        let is_own = |site: &HeaderValue| ["same-origin", "same-site", "none"].iter().any(|own| site == own);
        return !headers.get_all("sec-fetch-site").iter().all(is_own);
    }
    pages.contains(&false)
}

/// The origin of a page's address.
fn origin_of(address: &str) -> Option<String> {
    let uri: Uri = address.parse().ok()?;
    Some(format!("{}://{}", uri.scheme_str()?, uri.authority()?))
}

#[cfg(test)]
mod tests {
    use super::cors;

    #[test]
    fn only_names_of_this_machine_are_local() {
        for host in ["localhost", "LOCALHOST:8000", "127.0.0.1", "127.0.0.1:1", "[::1]", "[::1]:8000"] {
            assert!(cors::is_local_host(host), "{host}");
        }
        for host in [
            "",
            "example.com",
            "localhost.example.com",
            "127.0.0.1.example.com:80",
            "::1",
            "127.0.0.2",
            "[::2]:1",
            "user@localhost",
            "localhost:80:80",
        ] {
            assert!(!cors::is_local_host(host), "{host}");
        }
    }
}
