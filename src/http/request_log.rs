//! Each request gets an id, a span, a count of its statements and one line in the log.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use futures_util::FutureExt;
use tracing::Instrument;
use uuid::Uuid;

use super::answer;
use crate::domain::statements;
use crate::graphql::{Code, OperationKind, coded};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

tokio::task_local! {
    static ID: Arc<str>;
}

/// What a handler has to say for the log line; it rides on the response.
#[derive(Clone, Debug, Default)]
pub(super) struct Note {
    pub(super) kind: Option<OperationKind>,
    pub(super) operation: Option<String>,
    pub(super) code: Option<Code>,
}

impl Note {
    /// The note on `response`.
    pub(super) fn of(response: &mut Response) -> &mut Self {
        response.extensions_mut().get_or_insert_default()
    }
}

/// How many statements an answer cost; it rides on the response for whoever wants to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Statements(pub u64);

/// The id of the request that is being worked on.
pub(super) fn request_id() -> Option<String> {
    ID.try_with(std::string::ToString::to_string).ok()
}

/// Answers, and says so in the log. A panic on the way is a 500 like any other fault.
pub(super) async fn log(request: Request, next: Next) -> Response {
    let began_at = Instant::now();
    let id: Arc<str> = Uuid::new_v4().simple().to_string().into();
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let counter = Arc::new(AtomicU64::new(0));
    let span = tracing::info_span!("request", %id);
    let work = async {
        let answered = AssertUnwindSafe(next.run(request)).catch_unwind().await;
        answered.unwrap_or_else(|_| {
            let message = "Something went wrong on our side. The request id finds it in the log.";
            answer::refuse(coded(Code::InternalServerError, message, None))
        })
    };
    let work = ID.scope(Arc::clone(&id), statements::count(Arc::clone(&counter), work));
    let mut response = work.instrument(span.clone()).await;
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    let note = std::mem::take(Note::of(&mut response));
    let statements = counter.load(Ordering::Relaxed);
    response.extensions_mut().insert(Statements(statements));
    let _in_span = span.enter();
    tracing::info!(
        %method,
        path,
        kind = note.kind.map(OperationKind::as_str),
        operation = note.operation,
        status = response.status().as_u16(),
        code = note.code.map(Code::as_str),
        duration_ms = (began_at.elapsed().as_secs_f64() * 1e6).round() / 1e3,
        statements,
        "answered"
    );
    response
}
