//! What is asked of a server by those who run it: whether the process lives, whether it can serve, and its metrics.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::response::{IntoResponse, Response};

use super::app::App;
use super::metrics::{Metrics, Snapshot};
use crate::domain::feed;

/// 200 while the process lives.
pub(super) async fn health() -> Response {
    json(StatusCode::OK, r#"{"status":"healthy"}"#)
}

/// 200 while the database answers.
pub(super) async fn ready(State(app): State<Arc<App>>) -> Response {
    match tokio::time::timeout(app.timeouts.readiness, app.store.ping()).await {
        Ok(Ok(())) => json(StatusCode::OK, r#"{"status":"ready"}"#),
        _ => {
            let mut response = json(StatusCode::SERVICE_UNAVAILABLE, r#"{"status":"unavailable"}"#);
            response.headers_mut().insert(RETRY_AFTER, 1.into());
            response
        }
    }
}

fn json(status: StatusCode, body: &'static str) -> Response {
    (status, [(CONTENT_TYPE, "application/json")], body).into_response()
}

/// The metrics as a text.
pub(super) async fn metrics(State(app): State<Arc<App>>, State(metrics): State<Arc<Metrics>>) -> Response {
    let (pool, feed) = (app.store.pool(), feed::status(&app.store));
    let text =
        metrics.to_text(&Snapshot { pool, feed, in_flight: app.limits.in_flight(), streams: app.streams.count() });
    ([(CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], text).into_response()
}
