//! The GraphiQL page: from the binary, complete without any other host. In a build without npm the libraries come from a
//! CDN, in the same versions, each with the hash that it must have.

use std::fmt::Write;
use std::sync::{Arc, LazyLock};

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::{Redirect, Response};
use serde::Deserialize;
use serde_json::json;

use super::app::{App, Page};
use super::bundle;

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
pub(super) fn page(page: &Page) -> Response {
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
    bundle::page(html, &policy)
}

/// A file of the page.
pub(super) async fn file(Path(name): Path<String>, State(_): State<Arc<App>>, headers: HeaderMap) -> Response {
    let plain = match name.as_str() {
        "page.css" => Some(STYLE),
        "page.js" => Some(SCRIPT),
        _ => None,
    };
    if let Some((kind, text)) = plain {
        return bundle::served(kind, Bytes::from_static(text.as_bytes()));
    }
    bundle::file(BUNDLE, &name, &headers).await
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
