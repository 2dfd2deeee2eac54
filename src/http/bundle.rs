//! What the web pages have in common: bundled files and the headers of a page.

use std::io::Read;

use axum::body::Bytes;
use axum::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, VARY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use flate2::read::GzDecoder;

use super::accept::MediaType;
use super::answer::nothing_there;

/// A page, with a policy of what it may load. It may hold a token, so nobody may store it.
pub(super) fn page(html: String, policy: &str) -> Response {
    let headers = [
        (CONTENT_TYPE, MediaType::Html.content_type()),
        (CONTENT_SECURITY_POLICY, policy),
        (CACHE_CONTROL, "no-store"),
        (REFERRER_POLICY, "no-referrer"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
    ];
    (headers, html).into_response()
}

/// A file of a bundle: name, type, gzipped bytes.
pub(super) async fn file(bundle: &'static [(&str, &'static str, &[u8])], name: &str, headers: &HeaderMap) -> Response {
    let Some((_, kind, gzipped)) = bundle.iter().find(|(file, _, _)| *file == name) else {
        return nothing_there().await;
    };
    let takes_gzip = |value: &HeaderValue| value.to_str().is_ok_and(|text| text.contains("gzip"));
    if headers.get_all(ACCEPT_ENCODING).iter().any(takes_gzip) {
        let mut response = served(kind, Bytes::from_static(gzipped));
        response.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        return response;
    }
    let mut plain = Vec::new();
    match GzDecoder::new(*gzipped).read_to_end(&mut plain) {
        Ok(_) => served(kind, plain.into()),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

pub(super) fn served(kind: &'static str, bytes: Bytes) -> Response {
    let headers = [
        (CONTENT_TYPE, kind),
        (CACHE_CONTROL, "no-cache"),
        (VARY, "accept-encoding"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, bytes).into_response()
}
