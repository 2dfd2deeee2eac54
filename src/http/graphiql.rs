//! The GraphiQL page: from the binary, complete without any other host. From a build without npm the libraries come
//! from a CDN, of the same versions, each with the hash that it must have.

use std::fmt::Write;
use std::io::Read;
use std::sync::{Arc, LazyLock};

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, VARY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use flate2::read::GzDecoder;
use serde::Deserialize;
use serde_json::json;

use super::accept::MediaType;
use super::{App, GraphiqlPage, nothing_there};

include!(concat!(env!("OUT_DIR"), "/graphiql.rs"));

const PAGE: &str = include_str!("../../web/graphiql/index.html");
const STYLE: (&str, &str) = ("text/css; charset=utf-8", include_str!("../../web/graphiql/page.css"));
const SCRIPT: (&str, &str) = ("text/javascript; charset=utf-8", include_str!("../../web/graphiql/page.js"));

/// The origin that a page without a bundle may load from.
const CDN: &str = "https://cdn.jsdelivr.net";
static CDN_FILES: LazyLock<CdnFiles> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../../web/graphiql/cdn.json")).expect("cdn.json is what cdn.mjs printed")
});

#[derive(Deserialize)]
struct CdnFiles {
    scripts: Vec<CdnFile>,
    styles: Vec<CdnFile>,
}

#[derive(Deserialize)]
struct CdnFile {
    url: String,
    integrity: String,
}

/// Sends a browser to the page.
pub(super) async fn lead_there() -> Redirect {
    Redirect::temporary("/graphql")
}

/// The page.
pub(super) fn page(page: &GraphiqlPage) -> Response {
    let (styles, scripts, others) = if BUNDLE.is_empty() { from_cdn() } else { from_here() };
    // A token has no characters that HTML minds.
    let html = PAGE
        .replace("{{styles}}", &styles)
        .replace("{{scripts}}", &scripts)
        .replace("{{config}}", &json!({ "token": page.token }).to_string());
    // The editor sets styles on its elements; scripts come from files alone.
    let policy = format!(
        "default-src 'none'; script-src 'self' {others}; style-src 'self' 'unsafe-inline' {others}; \
         font-src 'self' data: {others}; img-src 'self' data:; connect-src 'self'; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    let headers = [
        (CONTENT_TYPE, MediaType::Html.content_type()),
        (CONTENT_SECURITY_POLICY, policy.as_str()),
        (CACHE_CONTROL, "no-store"),
        (REFERRER_POLICY, "no-referrer"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
    ];
    (headers, html).into_response()
}

/// A file of the page.
pub(super) async fn file(Path(name): Path<String>, State(_): State<Arc<App>>, headers: HeaderMap) -> Response {
    let plain = match name.as_str() {
        "page.css" => Some(STYLE),
        "page.js" => Some(SCRIPT),
        _ => None,
    };
    if let Some((kind, text)) = plain {
        return served(kind, Bytes::from_static(text.as_bytes()));
    }
    let Some((_, kind, gzipped)) = BUNDLE.iter().find(|(file, _, _)| *file == name) else {
        return nothing_there().await;
    };
    let takes_gzip = |value: &axum::http::HeaderValue| value.to_str().is_ok_and(|text| text.contains("gzip"));
    if headers.get_all(ACCEPT_ENCODING).iter().any(takes_gzip) {
        let mut response = served(kind, Bytes::from_static(gzipped));
        response.headers_mut().insert(CONTENT_ENCODING, axum::http::HeaderValue::from_static("gzip"));
        return response;
    }
    let mut plain = Vec::new();
    match GzDecoder::new(*gzipped).read_to_end(&mut plain) {
        Ok(_) => served(kind, plain.into()),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

fn served(kind: &'static str, bytes: Bytes) -> Response {
    let headers = [
        (CONTENT_TYPE, kind),
        (CACHE_CONTROL, "no-cache"),
        (VARY, "accept-encoding"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, bytes).into_response()
}

/// Styles, scripts, and the origin that they come from besides ours.
fn from_here() -> (String, String, &'static str) {
    (
        r#"    <link rel="stylesheet" href="/graphiql/bundle.css">"#.into(),
        r#"    <script src="/graphiql/bundle.js"></script>"#.into(),
        "",
    )
}

fn from_cdn() -> (String, String, &'static str) {
    let (mut styles, mut scripts) = (String::new(), String::new());
    for CdnFile { url, integrity } in &CDN_FILES.styles {
        let attributes = format!(r#"href="{url}" integrity="{integrity}" crossorigin="anonymous""#);
        writeln!(styles, r#"    <link rel="stylesheet" {attributes}>"#).expect("a string takes all");
    }
    for CdnFile { url, integrity } in &CDN_FILES.scripts {
        let attributes = format!(r#"src="{url}" integrity="{integrity}" crossorigin="anonymous""#);
        writeln!(scripts, r"    <script {attributes}></script>").expect("a string takes all");
    }
    scripts.push_str(r#"    <script src="/graphiql/page.js"></script>"#);
    (styles, scripts, CDN)
}
