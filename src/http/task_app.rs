//! The task application, a page to try the API with. Only a build with npm has it.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde_json::json;

use super::answer::nothing_there;
use super::app::{App, Page};
use super::bundle;

include!(concat!(env!("OUT_DIR"), "/app.rs"));

const PAGE: &str = include_str!("../../web/app/index.html");
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
                      connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// Whether this build has it.
pub const IS_BUNDLED: bool = !BUNDLE.is_empty();

/// The page.
pub(super) async fn page(State(app): State<Arc<App>>) -> Response {
    match &app.task_app {
        // A token has no characters that HTML minds.
        Some(Page { token }) => {
            bundle::page(PAGE.replace("{{config}}", &json!({ "token": token }).to_string()), POLICY)
        }
        None => nothing_there().await,
    }
}

/// A file of the page.
pub(super) async fn file(Path(name): Path<String>, headers: HeaderMap) -> Response {
    bundle::file(BUNDLE, &name, &headers).await
}
