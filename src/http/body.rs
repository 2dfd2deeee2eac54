//! Bodies, read up to a limit.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_LENGTH, EXPECT};
use http_body_util::BodyExt;

/// Most bytes of a body.
const MAX_BODY_BYTES: usize = 256 * 1024;
/// How much of a refused body is read. A connection that is closed before its client has sent everything loses the
/// answer as well.
const MAX_DISCARDED_BYTES: usize = 16 * 1024 * 1024;

/// Why a body was not read.
pub(super) enum Unread {
    TooLarge,
    /// The client went away.
    Broken,
}

/// Reads a body of at most [`MAX_BODY_BYTES`]; the rest of a larger one is discarded for `discard_for`.
pub(super) async fn read(headers: &HeaderMap, mut body: Body, discard_for: Duration) -> Result<Bytes, Unread> {
    let announced = announced_bytes(headers);
    if announced.is_some_and(|length| length > MAX_BODY_BYTES) {
        discard(headers, body, discard_for);
        return Err(Unread::TooLarge);
    }
    let mut read = Vec::with_capacity(announced.unwrap_or_default());
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame.map_err(|_| Unread::Broken)?.into_data() else { continue };
        if read.len() + frame.len() > MAX_BODY_BYTES {
            discard(headers, body, discard_for);
            return Err(Unread::TooLarge);
        }
        read.extend_from_slice(&frame);
    }
    Ok(read.into())
}

/// How long a body is by its Content-Length.
pub(super) fn announced_bytes(headers: &HeaderMap) -> Option<usize> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// Reads a body that nobody wants, while the answer is sent, but not longer than `wait`.
pub(super) fn discard(headers: &HeaderMap, mut body: Body, wait: Duration) {
    // A client that waits for a 100 (Continue) sends nothing before.
    if headers.contains_key(EXPECT) || axum::body::HttpBody::is_end_stream(&body) {
        return;
    }
    tokio::spawn(tokio::time::timeout(wait, async move {
        let mut discarded = 0;
        while let Some(Ok(frame)) = body.frame().await
            && discarded < MAX_DISCARDED_BYTES
        {
            discarded += frame.data_ref().map_or(0, Bytes::len);
        }
    }));
}
