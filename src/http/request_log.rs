//! Each request gets an id, a span, a count of its statements and one line in the log.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use futures_util::FutureExt;
use tracing::{Instrument, Span};
use uuid::Uuid;

use super::answer;
use super::metrics::{Limit, Metrics};
use crate::domain::statements;
use crate::graphql::{Code, FAULT, OperationKind, coded};

/// What proxies log for a client that did not wait.
const CLIENT_GONE: u16 = 499;
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
    /// The limit that refused it.
    pub(super) limit: Option<Limit>,
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
pub(super) async fn log(State(metrics): State<Arc<Metrics>>, request: Request, next: Next) -> Response {
    let began_at = Instant::now();
    let id: Arc<str> = Uuid::new_v4().simple().to_string().into();
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let counter = Arc::new(AtomicU64::new(0));
    let trace_id = trace_id(request.headers()).unwrap_or_else(|| id.to_string());
    let span = tracing::info_span!("request", %id, trace_id);
    #[cfg(feature = "otlp")]
    crate::telemetry::continue_trace(&span, request.headers());
    let work = async {
        let answered = AssertUnwindSafe(next.run(request)).catch_unwind().await;
        answered.unwrap_or_else(|_| answer::refuse(coded(Code::InternalServerError, FAULT, None)))
    };
    let mut gone = Gone { metrics: Some(&metrics), span: &span, began_at };
    let work = ID.scope(Arc::clone(&id), statements::count(Arc::clone(&counter), work));
    let mut response = work.instrument(span.clone()).await;
    gone.metrics = None;
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    let note = std::mem::take(Note::of(&mut response));
    let statements = counter.load(Ordering::Relaxed);
    response.extensions_mut().insert(Statements(statements));
    let took = began_at.elapsed();
    metrics.count(&note, response.status().as_u16(), took, statements);
    let _in_span = span.enter();
    tracing::info!(
        %method,
        path,
        kind = note.kind.map(OperationKind::as_str),
        operation = note.operation,
        status = response.status().as_u16(),
        code = note.code.map(Code::as_str),
        duration_ms = milliseconds(took),
        statements,
        "answered"
    );
    response
}

/// How an operation came that is no request of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Transport {
    /// A message of a socket.
    WebSocket,
    /// A request whose answer goes on: it has its line already, and gets another one when it ends.
    EventStream,
}

/// The log of an operation that may go on for long. It writes its line when it is dropped.
pub(super) struct OperationLog {
    pub(super) note: Note,
    transport: Transport,
    id: Arc<str>,
    span: Span,
    began_at: Instant,
    statements: Arc<AtomicU64>,
    metrics: Arc<Metrics>,
}

impl OperationLog {
    /// Of an operation that begins now. It has the id of its request, where there is one.
    pub(super) fn new(metrics: Arc<Metrics>, transport: Transport) -> Self {
        let id = ID.try_with(Arc::clone).unwrap_or_else(|_| Uuid::new_v4().simple().to_string().into());
        let span = match transport {
            Transport::WebSocket => tracing::info_span!(parent: None, "operation", %id),
            Transport::EventStream => Span::current(),
        };
        let (began_at, statements) = (Instant::now(), Arc::default());
        Self { note: Note::default(), transport, id, span, began_at, statements, metrics }
    }

    /// Does a part of its work.
    pub(super) async fn scope<T>(&self, work: impl Future<Output = T>) -> T {
        let work = statements::count(Arc::clone(&self.statements), work);
        ID.scope(Arc::clone(&self.id), work).instrument(self.span.clone()).await
    }
}

impl Drop for OperationLog {
    fn drop(&mut self) {
        let (took, statements) = (self.began_at.elapsed(), self.statements.load(Ordering::Relaxed));
        if self.transport == Transport::WebSocket {
            self.metrics.count(&self.note, StatusCode::OK.as_u16(), took, statements);
        }
        let _in_span = self.span.enter();
        tracing::info!(
            kind = self.note.kind.map(OperationKind::as_str),
            operation = self.note.operation,
            transport = self.transport.as_str(),
            code = self.note.code.map(Code::as_str),
            duration_ms = milliseconds(took),
            statements,
            "ended"
        );
    }
}

impl Transport {
    fn as_str(self) -> &'static str {
        match self {
            Self::WebSocket => "websocket",
            Self::EventStream => "event_stream",
        }
    }
}

/// Tells of a client that went away before it was answered: then nobody goes on with its request, but for its writes.
struct Gone<'l> {
    /// Nothing once there is an answer.
    metrics: Option<&'l Metrics>,
    span: &'l Span,
    began_at: Instant,
}

impl Drop for Gone<'_> {
    fn drop(&mut self) {
        if let Some(metrics) = self.metrics {
            let took = self.began_at.elapsed();
            metrics.count(&Note::default(), CLIENT_GONE, took, 0);
            let _in_span = self.span.enter();
            tracing::info!(status = CLIENT_GONE, duration_ms = milliseconds(took), "the client went away");
        }
    }
}

/// With three digits after the point.
fn milliseconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e6).round() / 1e3
}

/// The trace that a request belongs to (W3C Trace Context, section 3.2): `00-TRACE-PARENT-FLAGS` in hexadecimal digits.
fn trace_id(headers: &HeaderMap) -> Option<String> {
    let mut parts = headers.get("traceparent")?.to_str().ok()?.split('-');
    let (version, trace) = (parts.next()?, parts.next()?);
    let is_hex = |text: &str| text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    let is_trace = trace.len() == 32 && is_hex(trace) && trace.bytes().any(|digit| digit != b'0');
    (version.len() == 2 && is_hex(version) && version != "ff" && is_trace).then(|| trace.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_is_honoured_where_it_is_one() {
        let read = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert("traceparent", HeaderValue::from_static(value));
            trace_id(&headers)
        };
        let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
        assert_eq!(read("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01").as_deref(), Some(trace));
        for bad in [
            "",
            "00",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-0-0-0",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        ] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }
}
