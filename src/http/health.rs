//! Probes: whether the process lives, and whether it can serve.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::response::{IntoResponse, Response};

use super::App;

/// How long the database may take to answer.
const PATIENCE: Duration = Duration::from_millis(1_500);

/// 200 while the process lives.
pub(super) async fn health() -> Response {
    json(StatusCode::OK, r#"{"status":"healthy"}"#)
}

/// 200 while the database answers.
pub(super) async fn ready(State(app): State<Arc<App>>) -> Response {
    match tokio::time::timeout(PATIENCE, app.store.ping()).await {
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
