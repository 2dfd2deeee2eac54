//! Refusals of a full server. They come before everything else, since a refusal costs time that those who are being
//! served need: no token is read for it and no line is logged. `/metrics` counts them.

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::accept::{MediaType, OF_GRAPHQL, negotiate};
use super::app::Shared;
use super::{body, socket};

/// What other refusals of a full server say, with [`super::answer::FULL`], but without the work of writing it.
const BODY: &str = r#"{"errors":[{"message":"The server is full. Try again in a moment.","extensions":{"code":"SERVICE_UNAVAILABLE"}}]}"#;

/// What fits into one read, with its head.
const SMALL_BODY_BYTES: usize = 4 * 1024;

/// Lets GraphQL requests through while there is a free place. A request may still find none later on: it takes its place
/// once its body has arrived.
pub(super) async fn shed(State(shared): State<Shared>, request: Request, next: Next) -> Response {
    let is_free = request.uri().path() != "/graphql" || !shared.app.limits.is_full();
    // A socket is not in flight; what is asked over it may be.
    if is_free || socket::is_asked_for(request.method(), request.headers()) {
        return next.run(request).await;
    }
    shared.metrics.count_shed();
    let media = negotiate(request.headers(), &OF_GRAPHQL).unwrap_or(MediaType::Json);
    let (parts, unread) = request.into_parts();
    // A small body came with its head; hyper skips it.
    if body::announced_bytes(&parts.headers).is_none_or(|bytes| bytes > SMALL_BODY_BYTES) {
        body::discard(&parts.headers, unread, shared.app.timeouts.discard);
    }
    let headers = [(CONTENT_TYPE, media.content_type()), (RETRY_AFTER, "1")];
    (StatusCode::SERVICE_UNAVAILABLE, headers, BODY).into_response()
}

#[cfg(test)]
mod tests {
    use super::super::answer::FULL;
    use super::*;

    #[test]
    fn the_body_says_what_other_refusals_say() {
        let body: serde_json::Value = serde_json::from_str(BODY).expect("JSON");
        assert_eq!(body["errors"][0]["message"], FULL);
    }
}
