//! Refusals of a full server. They stand before everything else, since what a refusal costs is taken from those who are
//! being served: no token is read for it and no line is logged. `/metrics` counts them.

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::accept::{MediaType, OF_GRAPHQL, negotiate};
use super::body;
use super::{Shared, socket};

/// What the refused hear.
pub(super) const FULL: &str = "The server is full. Try again in a moment.";
const BODY: &str = r#"{"errors":[{"message":"The server is full. Try again in a moment.","extensions":{"code":"SERVICE_UNAVAILABLE"}}]}"#;

/// What fits into one read, with its head.
const SMALL_BODY_BYTES: usize = 4 * 1024;

/// Lets GraphQL requests through while there is a place for them. Whoever finds one here may still miss it: a place is
/// taken when the body is there.
pub(super) async fn shed(State(shared): State<Shared>, request: Request, next: Next) -> Response {
    let is_free = request.uri().path() != "/graphql" || !shared.app.limits.is_full();
    // A socket is no request in flight; what is asked over it may be.
    if is_free || socket::is_asked_for(request.method(), request.headers()) {
        return next.run(request).await;
    }
    shared.metrics.count_shed();
    let media = negotiate(request.headers(), &OF_GRAPHQL).unwrap_or(MediaType::Json);
    let (parts, unread) = request.into_parts();
    // A small body came with its head; hyper passes over it.
    if body::announced_bytes(&parts.headers).is_none_or(|bytes| bytes > SMALL_BODY_BYTES) {
        body::discard(&parts.headers, unread);
    }
    let headers = [(CONTENT_TYPE, media.content_type()), (RETRY_AFTER, "1")];
    (StatusCode::SERVICE_UNAVAILABLE, headers, BODY).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_body_says_what_other_refusals_say() {
        let body: serde_json::Value = serde_json::from_str(BODY).expect("JSON");
        assert_eq!(body["errors"][0]["message"], FULL);
    }
}
